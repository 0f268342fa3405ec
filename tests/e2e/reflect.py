#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assize run` against `assize-responder` in DPDK mode: AF_PACKET ports at both ends of a veth pair, no kernel address on either. Speaks TAP."""
import json
import os
import subprocess
import sys
import tempfile

from veth import Checks

ASSIZE, RESPONDER = sys.argv[1:3]
PROVIDERS = 8
checks = Checks("reflect")
check = checks.check


def sh(command):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)


def run(*command, timeout=60):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)


class Network:
    """v: the validator's namespace. p: the provider's, whose port answers for 10.88.1.0/28, the gateway among them."""

    def __init__(self):
        self.v, self.p = "aszr%dv" % os.getpid(), "aszr%dp" % os.getpid()
        for space in (self.v, self.p):
            sh("ip netns add " + space)
        sh("ip -n %s link add port0 type veth peer name port0 netns %s" % (self.v, self.p))
        sh("ip -n %s link set port0 up; ip -n %s link set port0 up" % (self.v, self.p))

    def close(self):
        for space in (self.v, self.p):
            subprocess.run(["ip", "netns", "del", space], check=False)


def init(home):
    keys = {
        "network.eal": "--vdev=net_af_packet0,iface=port0", "network.local_ip": "172.31.0.1", "network.gateway_ip": "10.88.1.14",
        "network.memory_mib": "128", "network.huge_pages": "no", "time.epoch_s": "4", "time.slot_s": "1", "time.challenge_slot_s": "1",
        "challenge.deadline_ms": "400", "challenge.seq_log2_steps": "8", "probe.late_bound_us": "100000", "probe.fault_bound_ppm": "500000",
    }
    return run(ASSIZE, "--home", home, "init", "--preset", "lab", *[word for key, value in keys.items() for word in ("--set", key + "=" + value)])


def as_json(home, *arguments):
    try:
        return json.loads(run(ASSIZE, "--home", home, "--json", *arguments).stdout)
    except ValueError:
        return {}


def scenario(network, folder):
    home, key = os.path.join(folder, "home"), os.path.join(folder, "provider.key")
    done = init(home)
    check("init_makes_a_home", done.returncode == 0, done.stderr)
    public_key = done.stdout.split("public key")[1].split()[0]
    provider_key = run(RESPONDER, "keygen", "--key", key).stdout.strip()
    for i in range(PROVIDERS):
        run(ASSIZE, "--home", home, "provider", "add", "p%d" % i, "--ip", "10.88.1.%d" % (i + 1), "--key", provider_key, "--device", str(i))
    responder = subprocess.Popen(
        ["ip", "netns", "exec", network.p, RESPONDER, "run", "--key", key, "--validator", public_key, "--challenge-rate", "10000", "--json",
         "--eal", "--vdev=net_af_packet0,iface=port0", "--local-ip", "10.88.1.1", "--local-prefix", "28", "--lcores", "0@%d,1@0" % ((os.cpu_count() or 1) - 1)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        done = run("ip", "netns", "exec", network.v, ASSIZE, "--home", home, "run", "--epochs", "2")
        check("two_epochs_run_to_their_end", done.returncode == 0, done.stderr)
    finally:
        responder.terminate()
        printed, errors = responder.communicate(timeout=30)
    check("the_responder_ends_cleanly", responder.returncode == 0, errors)
    judge(home, json.loads(printed.splitlines()[-1]))


def judge(home, counters):
    last = as_json(home, "status").get("last_epoch") or {}
    scores = as_json(home, "scores").get("scores", [])
    check("every_provider_is_up", len(scores) == PROVIDERS and all(s["state"] == "up" for s in scores), scores)
    check("probes_are_answered_and_the_epoch_is_complete", last.get("probes_answered", 0) > 0 and last.get("complete"), last)
    profile = as_json(home, "profile", "p3")
    check("challenges_were_answered_rightly", profile.get("correctness", {}).get("slots", 0) > 0 and profile["correctness"]["wrong"] == 0, profile)
    check("the_responder_answered_with_macs", counters["answered_tlv"] > 0 and counters["answered_challenges"] > 0, counters)
    dropped = {name: value for name, value in counters.items() if "dropped" in name and value and name != "port_dropped_group"}
    check("nothing_of_the_validators_was_dropped", set(dropped) <= {"dropped_in_progress"}, dropped)


def main():
    if os.geteuid() != 0:
        print("TAP version 13\n1..1\nok 1 - reflect::over_veth # SKIP network namespaces need root")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        network = Network()
        try:
            scenario(network, folder)
        finally:
            network.close()
    return checks.report()


sys.exit(main())
