/* SPDX-License-Identifier: Apache-2.0 */
/* asz_open_path: HELLO and OPEN on the challenge port: the part of asz_challenge_path that deals with them, called by it alone,
 * for what came from a validator that may ask. */
#ifndef ASZ_CONTROL_RESPONDER_OPEN_PATH_H
#define ASZ_CONTROL_RESPONDER_OPEN_PATH_H

#include "control/responder/challenge_path.h"

/* asz_open_path_hello: ASZ_RESP_ANSWERED_CHALLENGES and the job of a WELCOME, or its drop. The WELCOME of a repeated HELLO is
 * made anew, of the same bytes as long as memory that is free is the same. */
enum asz_resp_counter asz_open_path_hello(struct asz_challenge_path *path, const struct asz_hello *hello, struct asz_job *job);

/* asz_open_path_token_right: was the token sent to the address that this comes from? */
bool asz_open_path_token_right(const struct asz_challenge_path *path, const struct asz_open *open, const struct asz_ends *ends);
/* asz_open_path_open: ASZ_RESP_ANSWERED_CHALLENGES and the job that opens, ASZ_RESP_ANSWERED_OPENINGS: chunks wait in
 * path->chunks; or its drop. */
enum asz_resp_counter asz_open_path_open(struct asz_challenge_path *path, const struct asz_open *open, uint64_t now_ns,
                                         struct asz_job *job);
/* asz_open_path_opened: the job is done, the chunks that it was begun for wait; asz_open_path_refused: it was not taken. */
void asz_open_path_opened(struct asz_challenge_path *path, const struct asz_job *job);
void asz_open_path_refused(const struct asz_job *job);

#endif
