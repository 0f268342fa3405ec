/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/verify.h"

const char *asz_verdict_name(enum asz_verdict verdict) {
  switch (verdict) {
  case ASZ_VERDICT_NONE:
    return "none";
  case ASZ_VERDICT_PASS:
    return "pass";
  case ASZ_VERDICT_FAIL:
    return "fail";
  case ASZ_VERDICT_MALFORMED:
    return "malformed";
  case ASZ_VERDICT_UNJUDGED:
    return "unjudged";
  }
  return "unknown";
}
