/* SPDX-License-Identifier: Apache-2.0 */
/* Whose word is enough: policies that are refused, quorums that are not met, then those that are. */
#include "tests/control/tlog/cosigned.h"

#define ORIGIN "log.example/policy"

enum { WITNESSES = 6 };
static char log_vkey[ASZ_VKEY_BYTES], witness_vkey[WITNESSES][ASZ_VKEY_BYTES];

static void setup(void) {
  struct asz_identity log = cosigned_identity(1);
  asz_vkey_format(log_vkey, ORIGIN, log.public_key);
  for (unsigned n = 0; n < WITNESSES; n++)
    cosigned_vkey(witness_vkey[n], n);
}
TestSuite(policy, .init = setup);

/* The text with $L for the log's key and $0 to $5 for the witnesses'. */
static int parse(struct asz_policy **ret_policy, const char *text, struct asz_diag *diag) {
  char full[8192] = "";
  size_t at = 0;
  for (; *text; text++) {
    if (*text == '$')
      at += (size_t)snprintf(full + at, sizeof full - at, "%s", *++text == 'L' ? log_vkey : witness_vkey[*text - '0']);
    else
      full[at++] = *text;
    cr_assert_lt(at, sizeof full);
  }
  return asz_policy_parse(ret_policy, full, at, diag);
}

Test(policy, malformed_policies_are_refused_with_the_number_of_the_line)
{
  static const struct {
    const char *text, *line;
  } bad[] = {{"", "expected a quorum line"},
             {"log $L\n", "expected a quorum line"},
             {"quorum none", "lines"}, /* no newline */
             {"quorum none\r\n", "control characters"},
             {"quorum none\nquorum none\n", "line 2"},
             {"quorum\n", "line 1"},
             {"quorum w\n", "line 1"},
             {"\n# c\nfrobnicate\n", "line 3"},
             {"log\n", "line 1"},
             {"log $0\n", "of type 1"},
             {"log $L u v\n", "line 1"},
             {"log $L\nlog $L\n", "twice"},
             {"witness w\n", "line 1"},
             {"witness w $L\n", "of type 4"},
             {"witness none $0\n", "none"},
             {"witness w $0\nwitness v $0\n", "twice"},
             {"witness w $0\nwitness w $1\n", "taken"},
             {"witness w $0\ngroup w any w\n", "taken"},
             {"group g any\n", "line 1"},
             {"group g any g\n", "lines before"},
             {"group g any w\nwitness w $0\n", "line 1"},
             {"witness w $0\ngroup g 0 w\n", "number"},
             {"witness w $0\ngroup g 2 w\n", "number"},
             {"witness w $0\ngroup g 01 w\n", "number"},
             {"witness w $0\ngroup g -1 w\n", "number"},
             {"witness w $0\ngroup g 4294967297 w\n", "number"},
             {"witness w $0\ngroup g all w w\n", "no group yet"},
             {"witness w $0\ngroup g any w\ngroup h any w\n", "no group yet"},
             {"witness w $0\ngroup g any none\n", "lines before"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct asz_policy *policy;
    struct asz_diag diag = {""};
    cr_assert_eq(parse(&policy, bad[i].text, &diag), ASZ_EFORMAT, "%zu: %s", i, bad[i].text);
    cr_assert_not_null(strstr(diag.text, bad[i].line), "%zu: %s", i, diag.text);
  }
  struct asz_policy *policy;
  cr_assert_eq(asz_policy_parse(&policy, "quorum none\0\n", 13, NULL), ASZ_EFORMAT);
}

Test(policy, as_many_witnesses_and_groups_as_promised_are_taken_and_one_more_is_refused)
{
  static char text[ASZ_POLICY_MAX_BYTES];
  size_t at = 0;
  char vkey[ASZ_VKEY_BYTES];
  struct asz_policy *policy;
  for (unsigned n = 0; n < ASZ_POLICY_WITNESSES_MAX; n++) {
    cosigned_vkey(vkey, n);
    at += (size_t)sprintf(text + at, "witness w%u %s http://127.0.0.1/%u\n", n, vkey, n);
  }
  for (unsigned n = 0; n < ASZ_POLICY_NODES_MAX - ASZ_POLICY_WITNESSES_MAX; n++)
    at += (size_t)sprintf(text + at, "group g%u any w%u\n", n, n);
  size_t quorum = (size_t)sprintf(text + at, "quorum g0\n");
  cr_assert_eq(asz_policy_parse(&policy, text, at + quorum, NULL), 0);
  cr_assert_str_eq(policy->witness_url[63], "http://127.0.0.1/63");
  free(policy);
  sprintf(text + at, "group one-more any g0\nquorum g0\n");
  cr_assert_eq(asz_policy_parse(&policy, text, strlen(text), NULL), ASZ_EFORMAT);
}

/* Result of a policy on a checkpoint that the witnesses in the mask cosigned. */
static int judge(const char *text, unsigned mask) {
  char note[ASZ_TLOG_CHECKPOINT_MAX];
  struct asz_identity log = cosigned_identity(1);
  struct asz_checkpoint checkpoint = {.origin = ORIGIN, .tree_size = 5}, got;
  struct asz_policy *policy;
  struct asz_diag diag = {""};
  unsigned cosigned = 99;
  cr_assert_gt(asz_checkpoint_sign(note, sizeof note, &checkpoint, &log), 0);
  for (unsigned n = 0; n < WITNESSES; n++)
    if (mask >> n & 1)
      cosigned_add(note, sizeof note, n, 1000 + n);
  cr_assert_eq(parse(&policy, text, &diag), 0, "%s", diag.text);
  int err = asz_policy_check(policy, note, strlen(note), &got, &cosigned, &diag);
  if (!err) {
    cr_assert_eq(cosigned, (unsigned)__builtin_popcount(mask & ((1u << policy->witness_count) - 1)));
    cr_assert_eq(got.tree_size, 5);
  }
  free(policy);
  return err;
}

/* The example of the specification: two of three of one organisation, and one of three of another. */
#define EXAMPLE                                                                                                                  \
  "# an example\n\nlog $L\n witness X1 $0\nwitness X2 $1\twitness-url\nwitness X3 $2\ngroup X-witnesses 2 X1 X2 X3\nwitness Y1 " \
  "$3\n"                                                                                                                         \
  "witness Y2 $4\nwitness Y3 $5\ngroup Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"

Test(policy, the_example_of_the_specification_accepts_exactly_the_quorums_that_it_means)
{
  for (unsigned mask = 0; mask < 1 << WITNESSES; mask++) {
    bool expected = __builtin_popcount(mask & 7) >= 2 && mask >> 3;
    cr_assert_eq(judge(EXAMPLE, mask), expected ? 0 : ASZ_EAUTH, "witnesses %02x", mask);
  }
}

Test(policy, a_foreign_log_and_one_bad_cosignature_refuse_the_checkpoint)
{
  cr_assert_eq(judge("quorum none\n", 0), ASZ_EAUTH); /* no log is accepted */
  cr_assert_eq(judge("log $L\nquorum none\n", 0), 0);
  cr_assert_eq(judge("log $L\nwitness w $0\nquorum w\n", 2), ASZ_EAUTH);
  cr_assert_eq(judge("log $L\nwitness w $0\nquorum w\n", 1), 0);
  char note[ASZ_TLOG_CHECKPOINT_MAX];
  struct asz_identity log = cosigned_identity(1);
  struct asz_checkpoint checkpoint = {.origin = ORIGIN, .tree_size = 5}, got;
  struct asz_policy *policy;
  cr_assert_gt(asz_checkpoint_sign(note, sizeof note, &checkpoint, &log), 0);
  cosigned_add(note, sizeof note, 0, 1000);
  cr_assert_eq(parse(&policy, "log $L\nwitness w $0\nquorum none\n", NULL), 0);
  cr_assert_eq(asz_policy_check(policy, note, strlen(note), &got, NULL, NULL), 0);
  char *last = note + strlen(note) - 12;
  *last = *last == 'A' ? 'B' : 'A';
  cr_assert_eq(asz_policy_check(policy, note, strlen(note), &got, NULL, NULL), ASZ_EAUTH);
  free(policy);
}
