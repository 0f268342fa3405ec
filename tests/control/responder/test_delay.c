/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "control/responder/delay.h"

static struct asz_reply reply_of(uint16_t port) {
  return (struct asz_reply){.answered_as = ASZ_RESP_ANSWERED_PLAIN, .datagram.ends.peer_port = port};
}

static struct asz_delay *delay_of(uint32_t capacity, uint64_t delay_ns) {
  struct asz_delay *delay;
  cr_assert_eq(asz_delay_new(&delay, capacity, delay_ns), 0);
  return delay;
}

Test(delay, full_queue_refuses)
{
  struct asz_delay *delay = delay_of(3, 100);
  const struct asz_reply reply = reply_of(1);
  for (unsigned i = 0; i < 6; i++)
    cr_assert_eq(asz_delay_push(delay, &reply, 0), i < 3);
  asz_delay_free(delay);
}

Test(delay, empty_queue_has_nothing_due)
{
  struct asz_delay *delay = delay_of(3, 100);
  cr_assert_null(asz_delay_peek(delay, 0, UINT64_MAX));
  cr_assert_eq(asz_delay_next_ns(delay), UINT64_MAX);
  asz_delay_free(delay);
}

Test(delay, reply_is_due_at_its_time_and_not_before)
{
  struct asz_delay *delay = delay_of(3, 100);
  const struct asz_reply reply = reply_of(7);
  cr_assert(asz_delay_push(delay, &reply, 1000));
  cr_assert_eq(asz_delay_next_ns(delay), 1100);
  cr_assert_null(asz_delay_peek(delay, 0, 1099));
  const struct asz_reply *due = asz_delay_peek(delay, 0, 1100);
  cr_assert_not_null(due);
  cr_assert_eq(due->datagram.ends.peer_port, 7);
  cr_assert_null(asz_delay_peek(delay, 1, 1100));
  asz_delay_free(delay);
}

Test(delay, order_survives_many_turns_of_the_ring)
{
  struct asz_delay *delay = delay_of(5, 10);
  uint16_t pushed = 0, popped = 0;
  for (uint64_t now_ns = 0; now_ns < 1000; now_ns++) {
    const struct asz_reply reply = reply_of(pushed);
    pushed += asz_delay_push(delay, &reply, now_ns);
    for (const struct asz_reply *due; (due = asz_delay_peek(delay, 0, now_ns)); popped++) {
      cr_assert_eq(due->datagram.ends.peer_port, popped);
      asz_delay_pop(delay, 1);
    }
  }
  cr_assert_gt(popped, 300);
  cr_assert_leq(pushed - popped, 5);
  asz_delay_free(delay);
}
