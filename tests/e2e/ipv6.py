#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IPv6 against a Linux kernel that is gateway and providers: neighbour discovery both ways, ICMPv6 echo, SYNs to an open and a closed port; then both
families at once, with and without an 802.1Q tag. Speaks TAP."""
import os
import subprocess
import sys
import time

from veth import Checks, Validator, run, sh

ASSIZE = sys.argv[1]
VLAN = 100
LISTEN = "import socket, time; s = socket.create_server(('::', 443), family=socket.AF_INET6); time.sleep(120)"


def neighbour(network, address):
    return run("ip", "-n", network.p, "neigh", "show", address).stdout


def total(counters, *names):
    return sum(counters.get(name, 0) for name in names)


def measure(checks, validator, what):
    counters = validator.json("run", "--epochs", "1").get("counters", {})
    answered = total(counters, "rx_answered", "rx_late", "rx_doubtful")
    checks.check(what + "_every_probe_is_answered", counters.get("tx_probes", 0) > 50 and answered == counters["tx_probes"], counters)
    checks.check(what + "_no_answer_is_doubted", not any(counters.get(name, 1) for name in
                 ("rx_forged", "rx_malformed", "rx_replayed", "rx_duplicate", "rx_bad_checksum", "rx_wrong_path", "tx_no_gateway", "neigh_lost")), counters)
    checks.check(what + "_we_asked_for_the_gateway_and_were_asked", counters.get("rx_nd", 0) >= 2 and counters.get("tx_nd", 0) >= 2, counters)
    checks.check(what + "_connections_are_taken_back", counters.get("tx_resets", 0) > 0 and counters.get("tx_resets_dropped") == 0, counters)
    return counters


def register(validator, *providers):
    return [validator.assize("provider", "add", name, "--ip", ip, "--probe", probe, *more) for name, ip, probe, *more in providers]


OVER_IPV6 = (("echo", "2001:db8:88::3", "icmp-echo"), ("open", "2001:db8:88::1", "tcp-syn"), ("closed", "2001:db8:88::2", "tcp-syn", "--port", "444"))


def ipv6_alone(checks, network, folder):
    nowhere = {"network__local_ip": "0.0.0.0", "network__gateway_ip": "0.0.0.0"}
    validator = Validator(network, ASSIZE, os.path.join(folder, "without"), **nowhere)
    register(validator, *OVER_IPV6)
    done = validator.inside("run", "--epochs", "1")
    checks.check("without_an_address_it_says_which_key", done.returncode == 2 and "network.local_ip6" in done.stderr, done.stderr)
    validator = Validator(network, ASSIZE, os.path.join(folder, "alone"), network__local_ip6="fd00:31::1", network__gateway_ip6="fd00:31::2", **nowhere)
    done = register(validator, *OVER_IPV6)
    checks.check("ipv6_providers_are_registered", all(one.returncode == 0 for one in done), [one.stderr for one in done])
    counters = measure(checks, validator, "alone")
    checks.check("nobody_spoke_arp", total(counters, "tx_arp", "rx_arp") == 0, counters)
    checks.check("the_kernel_knows_our_mac", "lladdr" in neighbour(network, "fd00:31::1"), neighbour(network, "fd00:31::1"))
    scores = validator.json("scores").get("scores", [])
    checks.check("all_are_up", len(scores) == 3 and all(score["state"] == "up" for score in scores), scores)


def both_families(checks, network, folder, what, device, ours, **keys):
    validator = Validator(network, ASSIZE, os.path.join(folder, what), network__local_ip6=ours, network__gateway_ip6=network.link_local(device), **keys)
    register(validator, ("echo4", "10.88.1.3", "icmp-echo"), *OVER_IPV6)
    sh("ip -n %s neigh flush dev %s" % (network.p, device))
    counters = measure(checks, validator, what)
    checks.check(what + "_arp_was_spoken_too", counters.get("rx_arp", 0) >= 1, counters)
    checks.check(what + "_the_kernel_knows_our_mac", "lladdr" in neighbour(network, ours), neighbour(network, ours))


def gateway_that_is_not_there(checks, network, folder):
    validator = Validator(network, ASSIZE, os.path.join(folder, "nobody"), network__local_ip6="fd00:31::1", network__gateway_ip6="fd00:31::77")
    register(validator, *OVER_IPV6)
    done = validator.inside("run", "--epochs", "1")
    checks.check("a_silent_ipv6_gateway_is_named", done.returncode != 0 and "fd00:31::77" in done.stderr and "ND" in done.stderr, done.stderr)


def scenario(checks, network, folder):
    network.add_ipv6()
    listener = subprocess.Popen(["ip", "netns", "exec", network.p, sys.executable, "-c", LISTEN])
    try:
        time.sleep(0.5)
        ipv6_alone(checks, network, folder)
        both_families(checks, network, folder, "both", "eth0", "fd00:31::1")
        if network.add_tagged(VLAN):
            both_families(checks, network, folder, "tagged", "tagged", "fd00:32::1", network__vlan=str(VLAN), network__local_ip="172.31.1.1",
                          network__gateway_ip="172.31.1.2")
        else:
            checks.skip("tagged", "this kernel has no 802.1Q devices")
        gateway_that_is_not_there(checks, network, folder)
    finally:
        listener.terminate()
        listener.wait()


sys.exit(Checks("ipv6").main(scenario))
