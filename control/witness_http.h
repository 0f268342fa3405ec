/* SPDX-License-Identifier: Apache-2.0 */
/* asz_witness_http: a witness behind HTTP: POST /add-checkpoint, GET /<origin hash>/checkpoint, anything else 404. libmicrohttpd
 * speaks HTTP; one thread answers, one request after the other. No TLS: behind a proxy, or where the way is trusted. */
#ifndef ASZ_CONTROL_WITNESS_HTTP_H
#define ASZ_CONTROL_WITNESS_HTTP_H

#include "control/witness.h"

struct asz_witness_http;

/* asz_witness_http_start listens on "ADDRESS:PORT" (IPv4, or IPv6 in brackets; port 0: any) and serves from a thread of its own,
 * which from now on is the only one that may use the witness. ASZ_EINVAL, ASZ_EIO (the port), ASZ_ENOTSUP (a build without
 * libmicrohttpd). */
ASZ_MUST_CHECK int asz_witness_http_start(struct asz_witness_http **ret_http, struct asz_witness *witness, const char *listen,
                                          struct asz_diag *diag);
unsigned asz_witness_http_port(const struct asz_witness_http *http);
/* asz_witness_http_stop waits for the request in hand. */
void asz_witness_http_stop(struct asz_witness_http *http);

#endif
