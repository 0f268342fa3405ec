/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/err.h"

const char *asz_err_str(int err) {
  switch (err) {
  case ASZ_OK:
    return "ok";
#define ASZ_ERR_CASE(name, value, text)                                                                                          \
  case name:                                                                                                                     \
    return text;
    ASZ_ERR_LIST(ASZ_ERR_CASE)
#undef ASZ_ERR_CASE
  }
  return "unknown error";
}
