/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/base/ipv6.h"

static const uint8_t *address(const char *text) {
  static uint8_t ipv6[16];
  cr_assert_eq(asz_ipv6_parse(ipv6, text), 0, "%s", text);
  return ipv6;
}

Test(ipv6, what_is_no_address_is_refused)
{
  static const char *const bad[] = {"",        ":",    "1",        "10.0.0.1",         "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                                    "1::2::3", "g::1", "12345::1", "::1%lo",           "[::1]",         "fe80::1%eth0",
                                    "::1 ",    " ::1", "::1/64",   "1:2:3:4:5:6:7:8:", "::1.2.3",       "::1.2.3.256"};
  uint8_t ipv6[16], kept[16];
  memset(ipv6, 0x5a, sizeof ipv6);
  memcpy(kept, ipv6, sizeof kept);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    cr_assert_eq(asz_ipv6_parse(ipv6, bad[i]), ASZ_EFORMAT, "\"%s\"", bad[i]);
  cr_assert_arr_eq(ipv6, kept, 16, "outputs stay untouched on failure");
}

/* RFC 5952: section 4 and its examples. */
Test(ipv6, every_spelling_becomes_the_canonical_one)
{
  static const char *const spellings[][2] = {
      {"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:DB8::ABCD", "2001:db8::abcd"},
      {"0:0:0:0:0:0:0:0", "::"},
  };
  for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
    char text[ASZ_IPV6_TEXT_BYTES];
    asz_ipv6_format(text, address(spellings[i][0]));
    cr_assert_str_eq(text, spellings[i][1]);
  }
}

Test(ipv6, who_may_be_a_neighbour_and_who_a_provider)
{
  static const struct {
    const char *text;
    bool host, provider;
  } cases[] = {
      {"::", false, false},      {"::1", false, false},       {"::ffff:10.0.0.1", false, false},
      {"ff02::1", false, false}, {"ff0e::db8", false, false}, {"fe80::1", true, false},
      {"febf::1", true, false},  {"fec0::1", true, true},     {"2001:db8::1", true, true},
      {"fd00::1", true, true},   {"::2", true, true},         {"64:ff9b::a00:1", true, true},
      {"fe00::1", true, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cr_assert_eq(asz_ipv6_is_host(address(cases[i].text)), cases[i].host, "%s", cases[i].text);
    cr_assert_eq(asz_ipv6_is_provider(address(cases[i].text)), cases[i].provider, "%s", cases[i].text);
    cr_assert_eq(asz_ipv6_is_none(address(cases[i].text)), i == 0);
  }
}

/* RFC 4291 section 2.7.1's example, and RFC 2464 section 7. */
Test(ipv6, solicited_node_group_and_its_mac)
{
  uint8_t group[16], mac[6];
  char text[ASZ_IPV6_TEXT_BYTES];
  asz_ipv6_solicited(group, address("4037::1:800:200e:8c6c"));
  asz_ipv6_format(text, group);
  cr_assert_str_eq(text, "ff02::1:ff0e:8c6c");
  asz_ipv6_multicast_mac(mac, group);
  cr_assert_arr_eq(mac, ((uint8_t[6]){0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c}), 6);
}

Test(ipv6, prefix_of_n_bits_is_n_bits_long)
{
  uint8_t address[16], prefix[16];
  for (unsigned i = 0; i < 16; i++)
    address[i] = prefix[i] = (uint8_t)(0x9d * i + 1);
  for (unsigned bits = 0; bits <= 128; bits++)
    cr_assert(asz_ipv6_in_prefix(address, prefix, bits));
  for (unsigned bit = 0; bit < 128; bit++) {
    address[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    for (unsigned bits = 0; bits <= 128; bits++)
      cr_assert_eq(asz_ipv6_in_prefix(address, prefix, bits), bits <= bit, "bit %u differs, /%u", bit, bits);
    address[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
  }
}
