/* SPDX-License-Identifier: Apache-2.0 */
/* The witness alone knows what it saw last. The first request claims nothing (an old size of 0); a witness that knows the log
 * answers "409 Conflict" and the size; the next request proves the growth from there. Somebody else may have sent it a newer
 * checkpoint in between: one more turn, then the next run has to try. */
#include "control/witness_ask.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/tlog/add_checkpoint.h"
#include "control/tlog/reader.h"

enum { REPLY_MAX_BYTES = 64 << 10, URL_BYTES = 512, TURNS_MAX = 3 };

struct reply {
  long status;
  size_t size;
  char body[REPLY_MAX_BYTES];
};

static size_t take(char *data, size_t one, size_t count, void *context) {
  struct reply *reply = context;
  size_t size = one * count;
  if (size > sizeof reply->body - reply->size)
    return 0; /* curl ends the transfer */
  memcpy(reply->body + reply->size, data, size);
  reply->size += size;
  return size;
}

static int post(const char *url, const char *body, size_t size, unsigned timeout_s, struct reply *reply, struct asz_diag *diag) {
  char reason[CURL_ERROR_SIZE] = "";
  CURL *curl = curl_easy_init();
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: text/plain");
  reply->size = 0;
  if (!curl || !headers) {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return asz_diag_set(diag, ASZ_ENOMEM, "%s: no memory to ask", url);
  }
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)timeout_s);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)size);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_OK)
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  if (code == CURLE_OK)
    return 0;
  return asz_diag_set(diag, code == CURLE_WRITE_ERROR ? ASZ_EFORMAT : ASZ_EIO, "%s: %s", url,
                      *reason ? reason : curl_easy_strerror(code));
}

/* The request for growth from old_size, from the log's tiles. */
static int make_body(const char *dir, const char *note, const struct asz_checkpoint *head, uint64_t old_size, char **ret_body,
                     size_t *ret_size, struct asz_diag *diag) {
  struct asz_add_checkpoint request = {.old_size = old_size, .note = note, .note_bytes = strlen(note)};
  int dir_fd;
  int err = asz_log_dir_open(dir, &dir_fd, diag);
  if (err)
    return err;
  err = asz_log_consistency(dir_fd, old_size, head->tree_size, request.path, &request.path_count, diag);
  close(dir_fd);
  if (!err)
    err = asz_add_checkpoint_format(ret_body, ret_size, &request);
  return err;
}

/* Its line, verified the way the specification proposes: under the text that it is about. */
static int take_line(const struct asz_note_key *key, const char *note, const struct reply *reply,
                     char ret_line[ASZ_COSIGNATURE_LINE_MAX], struct asz_diag *diag) {
  struct asz_note split;
  struct asz_note_seen seen;
  int err = asz_note_split(&split, note, strlen(note), diag);
  if (err)
    return err;
  size_t size = split.text_bytes + 1 + reply->size;
  char *whole = malloc(size);
  if (!whole)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory for a cosignature");
  memcpy(whole, note, split.text_bytes + 1); /* with the empty line */
  memcpy(whole + split.text_bytes + 1, reply->body, reply->size);
  err = asz_note_verify(&split, whole, size, key, 1, &seen, diag);
  if (!err && !seen.verified)
    err = asz_diag_set(diag, ASZ_EAUTH, "the reply holds no signature by %s", key->name);
  if (!err) {
    assert(seen.line_bytes < ASZ_COSIGNATURE_LINE_MAX); /* a name and 76 bytes, in base64's one spelling */
    memcpy(ret_line, seen.line, seen.line_bytes);
    ret_line[seen.line_bytes] = 0;
  }
  free(whole);
  return err;
}

static int refused(const char *url, const struct reply *reply, struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_EAUTH, "%s: status %ld: %.*s", url, reply->status, (int)(reply->size < 200 ? reply->size : 200),
                      reply->body);
}

int asz_witness_ask(const char *url, const struct asz_note_key *key, const char *dir, const char *note,
                    const struct asz_checkpoint *head, unsigned timeout_s, char ret_line[ASZ_COSIGNATURE_LINE_MAX],
                    struct asz_diag *diag) {
  char full[URL_BYTES];
  size_t url_bytes = strlen(url);
  if (snprintf(full, sizeof full, "%s%sadd-checkpoint", url, url_bytes && url[url_bytes - 1] == '/' ? "" : "/") >= URL_BYTES)
    return asz_diag_set(diag, ASZ_EINVAL, "%s: too long", url);
  struct reply *reply = malloc(sizeof *reply);
  if (!reply)
    return asz_diag_set(diag, ASZ_ENOMEM, "no memory to ask a witness");
  uint64_t old_size = 0;
  int err = 0;
  for (int turn = 0; turn < TURNS_MAX; turn++) {
    char *body;
    size_t size;
    err = make_body(dir, note, head, old_size, &body, &size, diag);
    if (err)
      break;
    err = post(full, body, size, timeout_s, reply, diag);
    free(body);
    if (err)
      break;
    if (reply->status != 409) {
      err = reply->status == 200 ? take_line(key, note, reply, ret_line, diag) : refused(full, reply, diag);
      break;
    }
    err = asz_add_checkpoint_size(&old_size, reply->body, reply->size);
    if (err)
      asz_diag_set(diag, err, "%s: status 409, expected a tree size with it", full);
    else if (old_size > head->tree_size)
      err = asz_diag_set(diag, ASZ_EAUTH, "%s: has cosigned %llu entries, and the log has %llu: was it rolled back?", full,
                         (unsigned long long)old_size, (unsigned long long)head->tree_size);
    else
      err = turn + 1 < TURNS_MAX ? 0 : asz_diag_set(diag, ASZ_EAUTH, "%s: changes its mind about the size that it saw", full);
    if (err)
      break;
  }
  free(reply);
  return err;
}
