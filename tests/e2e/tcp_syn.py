#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tcp-syn against a Linux kernel: an open port, a closed one, with and without timestamps; and nothing half open is left behind. Speaks TAP."""
import os
import subprocess
import sys
import time

from veth import Checks, Validator, run, sh

ASSIZE = sys.argv[1]
PORT = 443


def nstat(space):
    """Absolute values of the kernel's counters."""
    lines = run("ip", "netns", "exec", space, "nstat", "-asz").stdout.splitlines()[1:]
    return {words[0]: int(words[1]) for words in (line.split() for line in lines) if len(words) > 1}


def half_open(space):
    return [line for line in run("ip", "netns", "exec", space, "ss", "-Htan", "state", "syn-recv").stdout.splitlines() if line]


def measure(checks, validator, network, what):
    before = nstat(network.p)
    done = validator.json("run", "--epochs", "1")
    after = nstat(network.p)
    grown = {name: after.get(name, 0) - before.get(name, 0) for name in after}
    counted = done.get("counters", {})
    answered = counted.get("rx_answered", 0) + counted.get("rx_late", 0) + counted.get("rx_doubtful", 0)
    offered = counted.get("tx_resets", 0)
    checks.check(what + "_every_syn_is_answered", counted.get("tx_probes", 0) > 50 and answered == counted["tx_probes"], counted)
    checks.check(what + "_only_the_open_port_offers_connections", 0 < offered < answered and abs(2 * offered - answered) <= 2, counted)
    checks.check(what + "_no_answer_is_doubted", all(counted.get(name, 1) == 0 for name in
                 ("rx_forged", "rx_malformed", "rx_replayed", "rx_duplicate", "rx_bad_checksum", "tx_resets_dropped")), counted)
    checks.check(what + "_the_kernel_saw_each_offer_taken_back", grown.get("TcpAttemptFails") == offered, grown)
    checks.check(what + "_no_connection_was_opened", grown.get("TcpPassiveOpens", 0) == 0 and grown.get("TcpEstabResets", 0) == 0, grown)
    checks.check(what + "_no_syn_ack_was_sent_again", grown.get("TcpRetransSegs", 0) == 0 and grown.get("TcpExtTCPTimeouts", 0) == 0, grown)
    checks.check(what + "_nothing_is_half_open", not half_open(network.p), half_open(network.p))


def scenario(checks, network, folder):
    sh("ip -n %s route add local 10.88.1.0/24 dev lo" % network.p)
    validator = Validator(network, ASSIZE, os.path.join(folder, "home"))
    checks.check("init_makes_a_home", validator.made.returncode == 0, validator.made.stderr)
    done = validator.assize("provider", "add", "open", "--ip", "10.88.1.1", "--probe", "tcp-syn")
    checks.check("the_port_of_tcp_syn_is_443", done.returncode == 0 and validator.json("provider", "list")["providers"][0]["port"] == PORT, done.stderr)
    validator.assize("provider", "add", "closed", "--ip", "10.88.1.2", "--probe", "tcp-syn", "--port", "444")
    listener = subprocess.Popen(["ip", "netns", "exec", network.p, sys.executable, "-c",
                                 "import socket, time; s = socket.create_server(('10.88.1.1', %d)); time.sleep(120)" % PORT])
    try:
        time.sleep(0.5)
        for timestamps in (1, 0):
            sh("ip netns exec %s sysctl -qw net.ipv4.tcp_timestamps=%d" % (network.p, timestamps))
            measure(checks, validator, network, "with_timestamps" if timestamps else "without_timestamps")
        scores = validator.json("scores").get("scores", [])
        checks.check("both_are_up", len(scores) == 2 and all(score["state"] == "up" for score in scores), scores)
    finally:
        listener.terminate()
        listener.wait()


sys.exit(Checks("tcp_syn").main(scenario))
