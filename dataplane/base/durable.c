/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int asz_errno_err(int error_number) {
  switch (error_number) {
  case ENOENT:
  case ENOTDIR:
    return ASZ_ENOENT;
  case EACCES:
  case EPERM:
  case EROFS:
    return ASZ_EPERM;
  case EEXIST:
    return ASZ_EEXIST;
  case ENOMEM:
    return ASZ_ENOMEM;
  default:
    return ASZ_EIO;
  }
}

int asz_sync_parent(const char *path) {
  char directory[4096];
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  if (length >= sizeof directory) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (slash == NULL)
    strcpy(directory, ".");
  else if (length == 0)
    strcpy(directory, "/");
  else {
    memcpy(directory, path, length);
    directory[length] = '\0';
  }
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  int result = fsync(fd);
  int saved_errno = errno;
  close(fd);
  errno = saved_errno;
  return result;
}
