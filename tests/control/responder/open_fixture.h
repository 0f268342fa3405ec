/* SPDX-License-Identifier: Apache-2.0 */
/* HELLO, WELCOME and openings as the fixture's validator sends and judges them. */
#ifndef ASZ_TESTS_CONTROL_RESPONDER_OPEN_FIXTURE_H
#define ASZ_TESTS_CONTROL_RESPONDER_OPEN_FIXTURE_H

#include "dataplane/base/opening.h"
#include "tests/control/responder/fixture.h"

enum { FIXTURE_DEVICE = 2, FIXTURE_OPENINGS = 5 };

/* open_fixture_challenge: of gemm or mem with preset tiny, param as given. */
struct asz_challenge open_fixture_challenge(const struct fixture *fixture, unsigned kind, unsigned param, uint8_t nonce);
void open_fixture_hello(const struct fixture *fixture, uint32_t device, uint8_t nonce, struct asz_datagram *ret_datagram);
/* open_fixture_welcome reads a WELCOME and asserts its MAC and signature. */
struct asz_welcome open_fixture_welcome(const struct fixture *fixture, const struct asz_datagram *datagram);
/* open_fixture_open: an OPEN for all chunks (of which there are few) of FIXTURE_OPENINGS openings. */
struct asz_open open_fixture_open(const struct asz_challenge *challenge, const uint8_t token[16]);
void open_fixture_seal(const struct fixture *fixture, const struct asz_open *open, struct asz_datagram *ret_datagram);
/* open_fixture_chunk reads a chunk and asserts that it answers the OPEN and its MAC; adds it. Returns what adding it says. */
int open_fixture_chunk(const struct fixture *fixture, const struct asz_open *open, struct asz_reassembly *reassembly,
                       const struct asz_datagram *datagram);
/* open_fixture_judge: how many openings of the blob pass, after its signature did (asserted). base: the challenge whose root the
 * columns are under, which is `asked` but for a fold; answer: the datagram that committed to them. */
unsigned open_fixture_judge(const struct fixture *fixture, const struct asz_open *open, const struct asz_challenge *base,
                            const struct asz_challenge *asked, const struct asz_datagram *answer, const uint8_t *blob);

#endif
