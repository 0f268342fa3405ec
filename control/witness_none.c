/* SPDX-License-Identifier: Apache-2.0 */
/* A build without libcurl or libmicrohttpd: what needs them says so. */
#include "control/witness_ask.h"
#include "control/witness_http.h"

static int not_built(struct asz_diag *diag) {
  return asz_diag_set(diag, ASZ_ENOTSUP, "this build speaks no HTTP: install libcurl and libmicrohttpd, and build again");
}

int asz_witness_ask(const char *url, const struct asz_note_key *key, const char *dir, const char *note,
                    const struct asz_checkpoint *head, unsigned timeout_s, char ret_line[ASZ_COSIGNATURE_LINE_MAX],
                    struct asz_diag *diag) {
  (void)url, (void)key, (void)dir, (void)note, (void)head, (void)timeout_s, (void)ret_line;
  return not_built(diag);
}

int asz_witness_http_start(struct asz_witness_http **ret_http, struct asz_witness *witness, const char *listen,
                           struct asz_diag *diag) {
  (void)ret_http, (void)witness, (void)listen;
  return not_built(diag);
}

unsigned asz_witness_http_port(const struct asz_witness_http *http) {
  (void)http;
  return 0;
}

void asz_witness_http_stop(struct asz_witness_http *http) {
  (void)http;
}
