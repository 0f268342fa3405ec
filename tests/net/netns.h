/* SPDX-License-Identifier: Apache-2.0 */
/* netns: network namespaces and veth pairs inside a test.
 *
 * A namespace here has no name and no mount: it is a file descriptor, and it lives as long as a descriptor or a process holds it.
 * So nothing is left behind when a test crashes, and no two tests can meet. Devices are set up with `ip` from iproute2. Needs
 * root; a test asks netns_unavailable first and skips with that reason. Failures inside are failed assertions of the test. */
#ifndef ASZ_TESTS_NET_NETNS_H
#define ASZ_TESTS_NET_NETNS_H

/* netns_unavailable: NULL when this process can make namespaces and veth pairs, else why not. Makes nothing that stays. */
const char *netns_unavailable(void);

/* netns_new: a new namespace with its loopback up; the calling process stays in its own. Close the descriptor to let it go. */
int netns_new(void);
/* netns_enter moves the calling thread into a namespace. */
void netns_enter(int fd);
/* netns_ip runs `ip` with words[] (NULL-terminated, without "ip") in a namespace; fd -1: in this one. Returns its exit status. */
int netns_ip(int fd, const char *const *words);
/* The same with the words as arguments; asserts that it succeeds. */
#define netns_ip_ok(fd, ...) netns_ip_assert(fd, (const char *const[]){__VA_ARGS__, NULL})
void netns_ip_assert(int fd, const char *const *words);

/* netns_checksums_in_software: what a device of this namespace sends has its checksums: veth leaves them to a device that does
 * not exist, and a port that reads frames sees them wrong. */
void netns_checksums_in_software(const char *device);

/* Two namespaces joined by a veth pair, both ends up. */
struct netns_pair {
  int left, right; /* descriptors */
};
/* netns_pair_make: device names and addresses (`10.99.0.1/24`) of both ends; an address may be NULL: none. */
void netns_pair_make(struct netns_pair *ret_pair, const char *left_device, const char *left_address, const char *right_device,
                     const char *right_address);
void netns_pair_close(struct netns_pair *pair);

#endif
