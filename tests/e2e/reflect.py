#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assize run` against `assize-responder` in DPDK mode: AF_PACKET ports at both ends of a veth pair, no kernel address on either. Speaks TAP."""
import json
import os
import subprocess
import sys

from veth import Checks, Network, Validator, run, sh

ASSIZE, RESPONDER = sys.argv[1:3]
PROVIDERS = 8
checks = Checks("reflect")
check = checks.check


class TwoPorts(Network):
    """No kernel address on the provider's side either: its port answers for 10.88.1.0/28, the gateway among them."""

    def __init__(self):
        super().__init__()
        sh("ip -n %s addr flush dev eth0; ip -n %s link set eth0 down; ip -n %s link set eth0 name port0; ip -n %s link set port0 up" % ((self.p,) * 4))


def scenario(_, network, folder):
    key = os.path.join(folder, "provider.key")
    validator = Validator(network, ASSIZE, os.path.join(folder, "home"), network__gateway_ip="10.88.1.14")
    done = validator.made
    check("init_makes_a_home", done.returncode == 0, done.stderr)
    public_key = done.stdout.split("public key")[1].split()[0]
    provider_key = run(RESPONDER, "keygen", "--key", key).stdout.strip()
    for i in range(PROVIDERS):
        validator.assize("provider", "add", "p%d" % i, "--ip", "10.88.1.%d" % (i + 1), "--key", provider_key, "--device", str(i))
    responder = subprocess.Popen(
        ["ip", "netns", "exec", network.p, RESPONDER, "run", "--key", key, "--validator", public_key, "--challenge-rate", "10000", "--json",
         "--eal", "--vdev=net_af_packet0,iface=port0", "--local-ip", "10.88.1.1", "--local-prefix", "28", "--lcores", "0@%d,1@0" % ((os.cpu_count() or 1) - 1)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        done = validator.inside("run", "--epochs", "2")
        check("two_epochs_run_to_their_end", done.returncode == 0, done.stderr)
    finally:
        responder.terminate()
        printed, errors = responder.communicate(timeout=30)
    check("the_responder_ends_cleanly", responder.returncode == 0, errors)
    judge(validator, json.loads(printed.splitlines()[-1]))


def judge(validator, counters):
    last = validator.json("status").get("last_epoch") or {}
    scores = validator.json("scores").get("scores", [])
    check("every_provider_is_up", len(scores) == PROVIDERS and all(s["state"] == "up" for s in scores), scores)
    check("probes_are_answered_and_the_epoch_is_complete", last.get("probes_answered", 0) > 0 and last.get("complete"), last)
    profile = validator.json("profile", "p3")
    check("challenges_were_answered_rightly", profile.get("correctness", {}).get("slots", 0) > 0 and profile["correctness"]["wrong"] == 0, profile)
    check("the_responder_answered_with_macs", counters["answered_tlv"] > 0 and counters["answered_challenges"] > 0, counters)
    dropped = {name: value for name, value in counters.items() if "dropped" in name and value and name != "port_dropped_group"}
    check("nothing_of_the_validators_was_dropped", set(dropped) <= {"dropped_in_progress"}, dropped)


sys.exit(checks.main(scenario, kind=TwoPorts))
