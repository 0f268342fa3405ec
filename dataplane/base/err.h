/* SPDX-License-Identifier: Apache-2.0 */
/* asz_err: the one list of error codes. Functions return 0 (or a count >= 0) on success and one of these on failure.
 * Errors are the world's fault (a file, a flag, a peer); our own mistakes are assertions; bad packets are counters. */
#ifndef ASZ_DATAPLANE_BASE_ERR_H
#define ASZ_DATAPLANE_BASE_ERR_H

#define ASZ_ERR_LIST(X)                                                                                                          \
  X(ASZ_EINVAL, -1, "invalid argument")                                                                                          \
  X(ASZ_ENOMEM, -2, "out of memory")                                                                                             \
  X(ASZ_EIO, -3, "input or output failed")                                                                                       \
  X(ASZ_EFORMAT, -4, "malformed input")                                                                                          \
  X(ASZ_ERANGE, -5, "value out of range")                                                                                        \
  X(ASZ_ENOENT, -6, "no such thing")                                                                                             \
  X(ASZ_EEXIST, -7, "already exists")                                                                                            \
  X(ASZ_EPERM, -8, "permission denied or unsafe permissions")                                                                    \
  X(ASZ_EAUTH, -9, "authentication failed")                                                                                      \
  X(ASZ_EAGAIN, -10, "busy: try again")                                                                                          \
  X(ASZ_ETIMEDOUT, -11, "timed out")                                                                                             \
  X(ASZ_ENOTSUP, -12, "not supported here")                                                                                      \
  X(ASZ_EDEVICE, -13, "device failed")                                                                                           \
  X(ASZ_ESTATE, -14, "not possible in this state")                                                                               \
  X(ASZ_ETOOBIG, -15, "too large")

enum asz_err {
  ASZ_OK = 0,
#define ASZ_ERR_ENUM(name, value, text) name = value,
  ASZ_ERR_LIST(ASZ_ERR_ENUM)
#undef ASZ_ERR_ENUM
};

/* Every result that matters carries this. */
#define ASZ_MUST_CHECK __attribute__((warn_unused_result))

/* asz_err_str names an error in a few words; never NULL, also for unknown values. Any thread. */
const char *asz_err_str(int err);

#endif
