/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/faults.h"

#include <assert.h>
#include <string.h>

static const struct {
  const char *name, *advice;
} fault_text[ASZ_FAULT_COUNT] = {
#define ASZ_FAULT_TEXT(symbol, name, advice) {name, advice},
    ASZ_FAULT_LIST(ASZ_FAULT_TEXT)
#undef ASZ_FAULT_TEXT
};

const char *asz_fault_name(enum asz_fault fault) {
  assert((unsigned)fault < ASZ_FAULT_COUNT);
  return fault_text[fault].name;
}

const char *asz_fault_advice(enum asz_fault fault) {
  assert((unsigned)fault < ASZ_FAULT_COUNT);
  return fault_text[fault].advice;
}

enum asz_fault asz_fault_from_name(const char *name) {
  enum asz_fault fault = 0;
  while (fault < ASZ_FAULT_COUNT && strcmp(fault_text[fault].name, name) != 0)
    fault++;
  return fault;
}

uint64_t asz_faults_total(const struct asz_faults *faults) {
  uint64_t total = 0;
  for (unsigned i = 0; i < ASZ_FAULT_COUNT; i++)
    total += faults->count[i];
  return total;
}

enum asz_fault asz_faults_largest(const struct asz_faults *faults) {
  unsigned largest = 0;
  for (unsigned i = 1; i < ASZ_FAULT_COUNT; i++)
    if (faults->count[i] > faults->count[largest])
      largest = i;
  return faults->count[largest] > 0 ? (enum asz_fault)largest : ASZ_FAULT_COUNT;
}

void asz_faults_add(struct asz_faults *faults, const struct asz_faults *more) {
  for (unsigned i = 0; i < ASZ_FAULT_COUNT; i++)
    faults->count[i] += more->count[i];
}

void asz_faults_add_growth(struct asz_faults *faults, const struct asz_faults *now, const struct asz_faults *before) {
  for (unsigned i = 0; i < ASZ_FAULT_COUNT; i++)
    faults->count[i] += now->count[i] - before->count[i];
}
