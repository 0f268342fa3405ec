#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assize run` against `assize-responder` over IPv6 and IPv4 at once: an AF_PACKET port on our side of a veth pair; on the other kernel sockets, then a port, then a
port behind an 802.1Q tag. Speaks TAP."""
import json
import os
import subprocess
import sys

from veth import Checks, Validator, run, sh

ASSIZE, RESPONDER = sys.argv[1:3]
KINDS = ("stamp", "stamp-tlv", "stamp-auth")
DOUBTS = ("rx_forged", "rx_malformed", "rx_replayed", "rx_duplicate", "rx_bad_checksum", "rx_bad_mac", "rx_wrong_path", "tx_no_gateway")


def kernel_side(network):
    p = network.p
    sh("ip netns exec %s sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0.accept_dad=0" % p)
    sh("ip netns exec %s sysctl -qw net.ipv6.conf.port0.disable_ipv6=1" % network.v) # or that kernel, too, has a say about what arrives
    sh("ip -n %s addr add fd00:31::2/64 dev eth0 nodad" % p)
    sh("ip -n %s -6 route add local 2001:db8:88::/64 dev lo" % p)
    sh("ip -n %s route add local 10.88.1.0/24 dev lo" % p)


def port_side(network):
    """eth0 is the responder's port: no address of the kernel's on it, which would answer for itself."""
    p = network.p
    sh("ip -n %s addr flush dev eth0; ip netns exec %s sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1" % (p, p))


ON_A_PORT = ("--eal", "--vdev=net_af_packet0,iface=eth0", "--lcores", "0@%d,1@0" % ((os.cpu_count() or 1) - 1), "--local-ip", "10.88.1.1", "--local-prefix", "24",
             "--local-ip", "2001:db8:88::1", "--local-prefix6", "64")


def start(network, key, public_key, *more):
    return subprocess.Popen(
        ["ip", "netns", "exec", network.p, RESPONDER, "run", "--key", key, "--validator", public_key, "--challenge-rate", "10000", "--json", *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop(responder):
    responder.terminate()
    printed, errors = responder.communicate(timeout=30)
    return (json.loads(printed.splitlines()[-1]) if printed.strip() else {}), errors


def register(validator, key):
    """Every kind over each family; all are devices of one identity."""
    for number, (kind, prefix) in enumerate((kind, prefix) for kind in KINDS for prefix in ("2001:db8:88::", "10.88.1.")):
        made = validator.assize("provider", "add", "p%d" % number, "--ip", "%s%d" % (prefix, number + 1), "--key", key, "--device", str(number), "--probe", kind)
        assert made.returncode == 0, made.stderr
    return number + 1


def judge(checks, what, validator, counters, provider_count, measured):
    answered = sum(measured.get(name, 0) for name in ("rx_answered", "rx_late", "rx_doubtful"))
    checks.check(what + "_every_probe_is_answered", measured.get("tx_probes", 0) > 100 and answered == measured["tx_probes"], measured)
    checks.check(what + "_no_answer_is_doubted", not any(measured.get(name, 1) for name in DOUBTS), measured)
    scores = validator.json("scores").get("scores", [])
    checks.check(what + "_all_are_up", len(scores) == provider_count and all(score["state"] == "up" for score in scores), scores)
    for name in ("p2", "p3"): # stamp-tlv, over IPv6 and over IPv4
        profile = validator.json("profile", name)
        checks.check("%s_%s_answers_challenges_rightly" % (what, name), profile.get("correctness", {}).get("slots", 0) > 0 and profile["correctness"]["wrong"] == 0, profile)
    checks.check(what + "_the_responder_answered_in_every_mode", all(counters.get("answered_" + mode, 0) > 0 for mode in ("plain", "tlv", "auth", "challenges")), counters)
    others = ("port_dropped_group", "port_dropped_not_ours") # the kernel under a port has things to say to its neighbours, too
    dropped = {name: value for name, value in counters.items() if "dropped" in name and value and name not in others}
    checks.check(what + "_nothing_of_the_validators_was_dropped", set(dropped) <= {"dropped_in_progress"} and counters.get("send_failed") == 0, counters)


def measure(checks, network, folder, what, key, settings, *options):
    provider_key = run(RESPONDER, "pubkey", "--key", key).stdout.strip()
    validator = Validator(network, ASSIZE, os.path.join(folder, what), **settings)
    count = register(validator, provider_key)
    responder = start(network, key, validator.made.stdout.split("public key")[1].split()[0], *options)
    try:
        done = validator.inside("--json", "run", "--epochs", "2")
        measured = json.loads(done.stdout or "{}").get("counters", {})
    finally:
        counters, errors = stop(responder)
    checks.check(what + "_both_end_cleanly", done.returncode == 0 and responder.returncode == 0, done.stderr + errors)
    judge(checks, what, validator, counters, count, measured)
    return counters


def scenario(checks, network, folder):
    kernel_side(network)
    key = os.path.join(folder, "provider.key")
    run(RESPONDER, "keygen", "--key", key)
    measure(checks, network, folder, "sockets", key, {"network__local_ip6": "fd00:31::1", "network__gateway_ip6": "fd00:31::2"})
    port_side(network)
    settings = {"network__local_ip6": "fd00:31::1", "network__gateway_ip": "10.88.1.250", "network__gateway_ip6": "2001:db8:88::fa"}
    counters = measure(checks, network, folder, "port", key, settings, *ON_A_PORT, "--gateway-ip6", "fd00:31::1")
    checks.check("port_solicitations_are_answered_and_ours_is", counters.get("port_asked_nd", 0) >= 1 and counters.get("port_heard_nd", 0) >= 1, counters)
    counters = measure(checks, network, folder, "tagged", key, dict(settings, network__vlan="100"), *ON_A_PORT)
    checks.check("tagged_solicitations_and_arp_are_answered", counters.get("port_asked_nd", 0) >= 1 and counters.get("port_asked_arp", 0) >= 1, counters)


sys.exit(Checks("responder_ipv6").main(scenario))
