/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "dataplane/neigh.h"

enum { HZ = 1000, US = 0x0a000001, GATEWAY = 0x0a0000fe, STRANGER = 0x0a000077 };
static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, gateway_mac[6] = {2, 0, 0, 0, 0, 0xfe}, no_mac[6];
static uint8_t frame[ASZ_ETH_MIN_BYTES], heard[ASZ_ETH_MIN_BYTES];

static struct asz_neigh resolving(void) {
  struct asz_neigh neigh;
  asz_neigh_init(&neigh, our_mac, US, GATEWAY, no_mac, HZ);
  return neigh;
}

static enum asz_neigh_heard hear(struct asz_neigh *neigh, uint64_t tsc, uint16_t operation, const uint8_t sender_mac[6],
                                 uint32_t sender, uint32_t target) {
  asz_wire_arp_write(heard, operation, sender_mac, sender, our_mac, target);
  return asz_neigh_hear(neigh, tsc, heard + ASZ_ETH_BYTES, ASZ_ARP_BYTES, frame);
}

Test(neigh, reply_without_a_question_is_ignored)
{
  struct asz_neigh neigh = resolving();
  cr_assert(eq(int, hear(&neigh, 0, ASZ_ARP_REPLY, gateway_mac, GATEWAY, US), ASZ_NEIGH_IGNORED));
  cr_assert(not(neigh.resolve.known));
}

Test(neigh, reply_from_anybody_else_is_ignored)
{
  struct asz_neigh neigh = resolving();
  const uint8_t group_mac[6] = {3, 0, 0, 0, 0, 1};
  cr_assert(asz_neigh_poll(&neigh, 0, frame));
  cr_assert(eq(int, hear(&neigh, 1, ASZ_ARP_REPLY, gateway_mac, STRANGER, US), ASZ_NEIGH_IGNORED));
  cr_assert(eq(int, hear(&neigh, 1, ASZ_ARP_REPLY, gateway_mac, GATEWAY, STRANGER), ASZ_NEIGH_IGNORED));
  cr_assert(eq(int, hear(&neigh, 1, ASZ_ARP_REPLY, group_mac, GATEWAY, US), ASZ_NEIGH_IGNORED));
  cr_assert(eq(int, hear(&neigh, 1, ASZ_ARP_REPLY, no_mac, GATEWAY, US), ASZ_NEIGH_IGNORED));
  cr_assert(eq(int, hear(&neigh, 1, 7, gateway_mac, GATEWAY, US), ASZ_NEIGH_IGNORED));
  cr_assert(not(neigh.resolve.known));
}

Test(neigh, truncated_arp_is_ignored)
{
  struct asz_neigh neigh = resolving();
  asz_wire_arp_write(heard, ASZ_ARP_REQUEST, gateway_mac, GATEWAY, our_mac, US);
  for (uint32_t size = 0; size < ASZ_ARP_BYTES; size++)
    cr_assert(eq(int, asz_neigh_hear(&neigh, 0, heard + ASZ_ETH_BYTES, size, frame), ASZ_NEIGH_IGNORED));
}

Test(neigh, gateway_is_resolved_and_refreshed_after_30_s)
{
  struct asz_neigh neigh = resolving();
  struct asz_arp asked;
  cr_assert(asz_neigh_poll(&neigh, 0, frame));
  cr_assert(eq(int, asz_wire_arp_read(&asked, frame + ASZ_ETH_BYTES, ASZ_ARP_BYTES), 0));
  cr_assert(eq(u16, asked.operation, ASZ_ARP_REQUEST));
  cr_assert(eq(u32, asked.target_ipv4, GATEWAY));
  cr_assert(eq(u32, asked.sender_ipv4, US));
  cr_assert(eq(int, hear(&neigh, 5, ASZ_ARP_REPLY, gateway_mac, GATEWAY, US), ASZ_NEIGH_LEARNED));
  cr_assert(neigh.resolve.known);
  cr_assert(eq(int, memcmp(neigh.resolve.gateway_mac, gateway_mac, 6), 0));
  cr_assert(not(asz_neigh_poll(&neigh, 5 + 30 * HZ - 1, frame)));
  cr_assert(asz_neigh_poll(&neigh, 5 + 30 * HZ, frame));
}

Test(neigh, silence_is_asked_again_each_second_and_lost_after_three)
{
  struct asz_neigh neigh = resolving();
  cr_assert(asz_neigh_poll(&neigh, 0, frame));
  cr_assert(eq(int, hear(&neigh, 0, ASZ_ARP_REPLY, gateway_mac, GATEWAY, US), ASZ_NEIGH_LEARNED));
  uint64_t tsc = 30 * HZ;
  for (int asked = 0; asked < 3; asked++, tsc += HZ) {
    cr_assert(asz_neigh_poll(&neigh, tsc, frame));
    cr_assert(not(asz_neigh_poll(&neigh, tsc + HZ - 1, frame)));
    cr_assert(not(neigh.resolve.lost));
  }
  cr_assert(asz_neigh_poll(&neigh, tsc, frame));
  cr_assert(neigh.resolve.lost);
  cr_assert(eq(u32, neigh.resolve.lost_count, 1));
  cr_assert(asz_neigh_poll(&neigh, tsc + HZ, frame));
  cr_assert(eq(u32, neigh.resolve.lost_count, 1), "lost once, not once a question");
  cr_assert(eq(int, hear(&neigh, tsc, ASZ_ARP_REPLY, gateway_mac, GATEWAY, US), ASZ_NEIGH_LEARNED));
  cr_assert(not(neigh.resolve.lost));
}

Test(neigh, renewed_wire_is_asked_at_once_and_the_old_answer_stands)
{
  struct asz_neigh neigh = resolving();
  cr_assert(asz_neigh_poll(&neigh, 0, frame));
  cr_assert(eq(int, hear(&neigh, 5, ASZ_ARP_REPLY, gateway_mac, GATEWAY, US), ASZ_NEIGH_LEARNED));
  cr_assert(not(asz_neigh_poll(&neigh, 6, frame)));
  asz_resolve_renew(&neigh.resolve, 6);
  cr_assert(neigh.resolve.known && !neigh.resolve.lost);
  cr_assert(eq(u64, asz_resolve_word(&neigh.resolve) & ASZ_RESOLVE_WORD_LOST, 0));
  cr_assert(asz_neigh_poll(&neigh, 6, frame));
  cr_assert(not(asz_neigh_poll(&neigh, 7, frame)), "once");
  const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 9};
  cr_assert(eq(int, hear(&neigh, 8, ASZ_ARP_REPLY, other_mac, GATEWAY, US), ASZ_NEIGH_LEARNED));
  cr_assert(eq(int, memcmp(neigh.resolve.gateway_mac, other_mac, 6), 0));
}

Test(neigh, silence_before_the_wire_was_renewed_does_not_count)
{
  struct asz_neigh neigh = resolving();
  uint64_t tsc = 0;
  cr_assert(asz_neigh_poll(&neigh, tsc, frame));
  cr_assert(eq(int, hear(&neigh, 5, ASZ_ARP_REPLY, gateway_mac, GATEWAY, US), ASZ_NEIGH_LEARNED));
  tsc = neigh.resolve.next_tsc;
  for (int i = 0; i < ASZ_RESOLVE_TRIES - 1; i++, tsc += HZ)
    cr_assert(asz_neigh_poll(&neigh, tsc, frame));
  asz_resolve_renew(&neigh.resolve, tsc);
  for (int i = 0; i < ASZ_RESOLVE_TRIES; i++, tsc += HZ) {
    cr_assert(asz_neigh_poll(&neigh, tsc, frame));
    cr_assert(not(neigh.resolve.lost));
  }
}

Test(neigh, question_for_us_is_answered)
{
  struct asz_neigh neigh = resolving();
  cr_assert(eq(int, hear(&neigh, 0, ASZ_ARP_REQUEST, gateway_mac, STRANGER, US), ASZ_NEIGH_ANSWER));
  struct asz_arp answer;
  cr_assert(eq(int, asz_wire_arp_read(&answer, frame + ASZ_ETH_BYTES, ASZ_ARP_BYTES), 0));
  cr_assert(eq(u16, answer.operation, ASZ_ARP_REPLY));
  cr_assert(eq(u32, answer.sender_ipv4, US));
  cr_assert(eq(int, memcmp(answer.sender_mac, our_mac, 6), 0));
  cr_assert(eq(int, memcmp(frame, gateway_mac, 6), 0), "to the one who asked");
  cr_assert(eq(int, hear(&neigh, 0, ASZ_ARP_REQUEST, gateway_mac, STRANGER, GATEWAY), ASZ_NEIGH_IGNORED));
}

Test(neigh, fixed_gateway_is_never_asked_for)
{
  struct asz_neigh neigh;
  asz_neigh_init(&neigh, our_mac, US, GATEWAY, gateway_mac, HZ);
  cr_assert(neigh.resolve.known);
  cr_assert(not(asz_neigh_poll(&neigh, 1000000 * (uint64_t)HZ, frame)));
}
