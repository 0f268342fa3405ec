/* SPDX-License-Identifier: Apache-2.0 */
#include "control/hmac_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/durable.h"
#include "dataplane/base/identity.h"

enum { TEXT_BYTES = 2 * ASZ_HMAC_SECRET_BYTES_MAX };

/* Opened first, judged afterwards by what was opened: the name may mean another file a moment later. */
static int open_private(const char *path, int *ret_fd, struct asz_diag *diag) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 || fstat(fd, &st) != 0) {
    int err = asz_diag_set(diag, asz_errno_err(errno), "%s: cannot open: %s", path, strerror(errno));
    if (fd >= 0)
      close(fd);
    return err;
  }
  int err = 0;
  if (!S_ISREG(st.st_mode))
    err = asz_diag_set(diag, ASZ_EINVAL, "%s: expected a regular file", path);
  else if ((st.st_mode & 077) != 0)
    err = asz_diag_set(diag, ASZ_EPERM, "%s: mode %04o lets others at the key: expected 0600 (chmod 600)", path,
                       (unsigned)(st.st_mode & 07777));
  if (err) {
    close(fd);
    return err;
  }
  *ret_fd = fd;
  return 0;
}

/* The digits in front of the line's end; -1 when there is more than one line, or too much of it. */
static int line_length(const char *text, size_t size) {
  size_t length = strnlen(text, size), digits = strcspn(text, "\r\n");
  if (length != size || digits > TEXT_BYTES)
    return -1;
  bool ended = !strcmp(text + digits, "") || !strcmp(text + digits, "\n") || !strcmp(text + digits, "\r\n");
  return ended ? (int)digits : -1;
}

static int secret_parse(uint8_t *ret_secret, uint8_t *ret_secret_bytes, char *text, size_t size) {
  int digits = line_length(text, size);
  if (digits < 2 * ASZ_HMAC_SECRET_BYTES_MIN || digits % 2 != 0)
    return ASZ_EFORMAT;
  uint8_t secret[ASZ_HMAC_SECRET_BYTES_MAX] = {0};
  text[digits] = '\0';
  int err = asz_hex_decode(secret, (size_t)digits / 2, text);
  if (!err) {
    memcpy(ret_secret, secret, sizeof secret);
    *ret_secret_bytes = (uint8_t)(digits / 2);
  }
  sodium_memzero(secret, sizeof secret);
  return err ? ASZ_EFORMAT : 0;
}

int asz_hmac_file_read(uint8_t ret_secret[ASZ_HMAC_SECRET_BYTES_MAX], uint8_t *ret_secret_bytes, const char *path,
                       struct asz_diag *diag) {
  int fd = -1;
  int err = open_private(path, &fd, diag);
  if (err)
    return err;
  char text[TEXT_BYTES + 4]; /* digits, CR, LF, one more that is too much, NUL */
  ssize_t size = read(fd, text, sizeof text - 1);
  int error_number = errno;
  close(fd);
  if (size < 0)
    return asz_diag_set(diag, ASZ_EIO, "%s: cannot read: %s", path, strerror(error_number));
  text[size] = '\0';
  err = secret_parse(ret_secret, ret_secret_bytes, text, (size_t)size);
  sodium_memzero(text, sizeof text);
  return err ? asz_diag_set(diag, err, "%s: expected one line of %d to %d hex digits", path, 2 * ASZ_HMAC_SECRET_BYTES_MIN,
                            2 * ASZ_HMAC_SECRET_BYTES_MAX)
             : 0;
}
