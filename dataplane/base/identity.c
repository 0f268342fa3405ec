/* SPDX-License-Identifier: Apache-2.0 */
/* Identities and their key files.
 *
 * A key file is refused for every reason for which a careful operator would refuse it, each with its own line: opened without
 * following a link (a link could be swapped between our check and our use), then examined through the descriptor, never again
 * by name. A new one is written under O_EXCL with its final mode, so that it never exists readable by others nor replaces a
 * key that signatures already depend on; file and directory reach the disk before success is reported, since an identity that
 * a crash takes back would have been announced in vain. Should any step fail, the half-made file is removed. */
#include "dataplane/base/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/durable.h"
#include "dataplane/base/hash.h"

#define KEY_MAGIC "assize-key-v1\n"
enum {
  SEED_BYTES = 32,
  MAGIC_BYTES = sizeof KEY_MAGIC - 1,
  FILE_BYTES = MAGIC_BYTES + 2 * SEED_BYTES + 1, /* the last line ends in a newline */
};

_Static_assert(crypto_sign_SEEDBYTES == SEED_BYTES && crypto_sign_SECRETKEYBYTES == 64, "libsodium's Ed25519 sizes");

void asz_identity_from_seed(struct asz_identity *ret_id, const uint8_t seed[32]) {
  crypto_sign_seed_keypair(ret_id->public_key, ret_id->secret_key, seed);
}

void asz_identity_wipe(struct asz_identity *id) {
  sodium_memzero(id, sizeof *id);
}

void asz_identity_short(uint8_t ret_id[8], const uint8_t public_key[32]) {
  uint8_t hash[32];
  const struct asz_hash_part parts[] = {ASZ_HASH_TEXT("assize/1/id"), {public_key, ASZ_PK_BYTES}};
  asz_hash(hash, NULL, 0, parts, 2);
  memcpy(ret_id, hash, ASZ_ID_BYTES);
}

void asz_hex_encode(char *ret_text, const uint8_t *bytes, size_t count) {
  sodium_bin2hex(ret_text, 2 * count + 1, bytes, count); /* constant time: it also carries secrets */
}

int asz_hex_decode(uint8_t *ret_bytes, size_t count, const char *text) {
  if (strnlen(text, 2 * count + 1) != 2 * count)
    return ASZ_EFORMAT;
  for (size_t i = 0; i < 2 * count; i++)
    if (strchr("0123456789abcdefABCDEF", text[i]) == NULL)
      return ASZ_EFORMAT;
  size_t decoded = 0;
  if (sodium_hex2bin(ret_bytes, count, text, 2 * count, NULL, &decoded, NULL) != 0 || decoded != count)
    return ASZ_EFORMAT;
  return ASZ_OK;
}

static int write_all(int fd, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t n = write(fd, bytes, count);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    bytes += n;
    count -= (size_t)n;
  }
  return 0;
}

static int open_new(const char *path, struct asz_diag *diag, int *ret_fd) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST)
    return asz_diag_set(diag, ASZ_EEXIST, "%s: already exists; an identity is never overwritten: expected a new file name", path);
  if (fd < 0)
    return asz_diag_set(diag,
                        errno == ENOENT   ? ASZ_ENOENT
                        : errno == EACCES ? ASZ_EPERM
                                          : ASZ_EIO,
                        "%s: cannot create: %s", path, strerror(errno));
  *ret_fd = fd;
  return ASZ_OK;
}

int asz_identity_create(const char *path, struct asz_identity *ret_id, struct asz_diag *diag) {
  int fd = -1;
  int result = open_new(path, diag, &fd);
  if (result != ASZ_OK)
    return result;

  uint8_t seed[SEED_BYTES];
  char text[FILE_BYTES + 1] = KEY_MAGIC;
  randombytes_buf(seed, sizeof seed);
  asz_hex_encode(text + MAGIC_BYTES, seed, sizeof seed);
  text[FILE_BYTES - 1] = '\n';

  /* fchmod: a umask may have taken bits away from 0600, and the owner must be able to read it back. */
  bool written = write_all(fd, text, FILE_BYTES) == 0 && fchmod(fd, 0600) == 0 && fsync(fd) == 0;
  int saved_errno = errno;
  if (close(fd) != 0 && written) {
    written = false;
    saved_errno = errno;
  }
  if (written && asz_sync_parent(path) != 0) {
    written = false;
    saved_errno = errno;
  }
  if (written) {
    asz_identity_from_seed(ret_id, seed);
  } else {
    unlink(path);
    result = asz_diag_set(diag, ASZ_EIO, "%s: cannot write the new key: %s", path, strerror(saved_errno));
  }
  sodium_memzero(seed, sizeof seed);
  sodium_memzero(text, sizeof text);
  return result;
}

/* What may be wrong with the file itself, before a byte of it is read. */
static int check_file(const char *path, int fd, struct asz_diag *diag) {
  struct stat st;
  if (fstat(fd, &st) != 0)
    return asz_diag_set(diag, ASZ_EIO, "%s: cannot examine: %s", path, strerror(errno));
  if (!S_ISREG(st.st_mode))
    return asz_diag_set(diag, ASZ_EPERM, "%s: not a regular file: expected a key file", path);
  if (st.st_uid != geteuid())
    return asz_diag_set(diag, ASZ_EPERM, "%s: owned by user id %u: expected the user who reads it (%u)", path,
                        (unsigned)st.st_uid, (unsigned)geteuid());
  if ((st.st_mode & 077) != 0)
    return asz_diag_set(diag, ASZ_EPERM, "%s: mode %04o lets others at the key: expected 0600 (chmod 600)", path,
                        (unsigned)(st.st_mode & 07777));
  if (st.st_size != FILE_BYTES)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: %lld bytes: expected a key file of exactly %d", path, (long long)st.st_size,
                        FILE_BYTES);
  return ASZ_OK;
}

/* What may be wrong with the text; fills the seed only when nothing is. */
static int parse_text(const char *path, const char text[FILE_BYTES], uint8_t ret_seed[SEED_BYTES], struct asz_diag *diag) {
  if (memcmp(text, KEY_MAGIC, MAGIC_BYTES) != 0)
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: line 1: expected \"assize-key-v1\"", path);
  const char *digits = text + MAGIC_BYTES;
  for (int i = 0; i < 2 * SEED_BYTES; i++) /* upper case would be a second spelling of the same key; the byte is not shown */
    if (digits[i] == '\0' || strchr("0123456789abcdef", digits[i]) == NULL)
      return asz_diag_set(diag, ASZ_EFORMAT, "%s: line 2, column %d: expected a lower-case hex digit", path, i + 1);
  if (digits[2 * SEED_BYTES] != '\n')
    return asz_diag_set(diag, ASZ_EFORMAT, "%s: line 2: expected a newline after %d hex digits", path, 2 * SEED_BYTES);
  char seed_hex[2 * SEED_BYTES + 1];
  memcpy(seed_hex, digits, 2 * SEED_BYTES);
  seed_hex[2 * SEED_BYTES] = '\0';
  int result = asz_hex_decode(ret_seed, SEED_BYTES, seed_hex);
  sodium_memzero(seed_hex, sizeof seed_hex);
  return result;
}

/* Reads exactly what was checked: a file that changes its length under us is refused. */
static int read_exact(int fd, char *ret_text, size_t count) {
  size_t have = 0;
  while (have < count) {
    ssize_t n = read(fd, ret_text + have, count - have);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return -1;
    have += (size_t)n;
  }
  return 0;
}

static int open_existing(const char *path, struct asz_diag *diag, int *ret_fd) {
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); /* O_NONBLOCK: a FIFO must not hang us */
  if (fd >= 0) {
    *ret_fd = fd;
    return ASZ_OK;
  }
  switch (errno) {
  case ELOOP:
    return asz_diag_set(diag, ASZ_EPERM, "%s: a symbolic link: expected the key file itself", path);
  case ENOENT:
    return asz_diag_set(diag, ASZ_ENOENT, "%s: no such key file", path);
  case EACCES:
    return asz_diag_set(diag, ASZ_EPERM, "%s: cannot read: expected a key file of the user who reads it", path);
  default:
    return asz_diag_set(diag, ASZ_EIO, "%s: cannot open: %s", path, strerror(errno));
  }
}

int asz_identity_load(const char *path, struct asz_identity *ret_id, struct asz_diag *diag) {
  int fd = -1;
  int result = open_existing(path, diag, &fd);
  if (result != ASZ_OK)
    return result;
  char text[FILE_BYTES];
  uint8_t seed[SEED_BYTES];
  result = check_file(path, fd, diag);
  if (result == ASZ_OK && read_exact(fd, text, sizeof text) != 0)
    result = asz_diag_set(diag, ASZ_EIO, "%s: cannot read all of its %d bytes", path, FILE_BYTES);
  if (result == ASZ_OK)
    result = parse_text(path, text, seed, diag);
  if (result == ASZ_OK)
    asz_identity_from_seed(ret_id, seed);
  close(fd);
  sodium_memzero(text, sizeof text);
  sodium_memzero(seed, sizeof seed);
  return result;
}
