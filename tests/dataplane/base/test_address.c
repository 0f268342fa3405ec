/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/base/address.h"

#include <criterion/criterion.h>
#include <string.h>

static struct asz_address parsed(const char *text) {
  struct asz_address address;
  cr_assert_eq(asz_address_parse(&address, text), 0, "%s", text);
  return address;
}

Test(address, what_is_of_neither_family_is_refused_and_touches_nothing)
{
  const char *const bad[] = {"",        ":",       "1.2.3",   "1.2.3.4.5", "localhost", "fe80::1%eth0",
                             "1::2::3", "::1.2.3", "12345::", "0x7f000001"};
  for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct asz_address address, before;
    memset(&address, 0x77, sizeof address);
    memcpy(&before, &address, sizeof address);
    cr_assert_eq(asz_address_parse(&address, bad[i]), ASZ_EFORMAT, "%s", bad[i]);
    cr_assert_eq(memcmp(&address, &before, sizeof address), 0, "%s", bad[i]);
  }
}

Test(address, text_comes_back_in_its_canonical_form)
{
  const char *const text[][2] = {
      {"0.0.0.0", "0.0.0.0"}, {"192.0.2.7", "192.0.2.7"}, {"::", "::"}, {"2001:DB8:0::7", "2001:db8::7"}};
  for (unsigned i = 0; i < sizeof text / sizeof text[0]; i++) {
    const struct asz_address address = parsed(text[i][0]);
    char back[ASZ_IPV6_TEXT_BYTES];
    asz_address_format(back, &address);
    cr_assert_str_eq(back, text[i][1]);
  }
}

Test(address, families_never_equal_each_other)
{
  const struct asz_address none4 = parsed("0.0.0.0"), none6 = parsed("::"), one = parsed("2001:db8::1"),
                           two = parsed("2001:db8::2");
  cr_assert_not(asz_address_equal(&none4, &none6));
  cr_assert_not(asz_address_equal(&one, &two));
  cr_assert(asz_address_equal(&one, &one));
  const struct asz_address same = asz_address_ipv6(one.ipv6), quad = asz_address_ipv4(0xc0000207), other = parsed("192.0.2.7");
  cr_assert(asz_address_equal(&one, &same));
  cr_assert(asz_address_equal(&quad, &other));
}

Test(address, link_local_is_fe80_10_alone)
{
  const char *const inside[] = {"fe80::", "fe80::1", "febf:ffff::1"}, *const outside[] = {"fec0::1", "fe7f::1", "ff02::1",
                                                                                          "::", "169.254.0.1"};
  for (unsigned i = 0; i < 3; i++) {
    const struct asz_address address = parsed(inside[i]);
    cr_assert(asz_address_is_link_local(&address), "%s", inside[i]);
  }
  for (unsigned i = 0; i < 5; i++) {
    const struct asz_address address = parsed(outside[i]);
    cr_assert_not(asz_address_is_link_local(&address), "%s", outside[i]);
  }
}
