#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`bench_veth` over a veth pair: every provider of a namespace answers, its figures agree with each other, wrong options end in one line. Speaks TAP."""
import json
import sys

from veth import Checks, run, sh

BENCH = sys.argv[1]
COUNT, ROUNDS = 1000, 2


def measure(network, *options):
    done = run(
        "ip", "netns", "exec", network.v, BENCH, "--json", "--eal", "--vdev=net_af_packet0,iface=port0", "--local", "172.31.0.1", "--gateway", "172.31.0.2",
        "--first", "10.88.0.0", "--count", str(COUNT), "--rounds", str(ROUNDS), "--rate", "4000", *options)
    try:
        return json.loads(done.stdout), done.stderr
    except ValueError:
        return {}, done.stderr


def scenario(checks, network, folder):
    for arguments, says in ((("--rate", "x"), "--eal is missing"), (("--eal", "--no-pci", "--local", "no"), "--local"), (("--eal", "--no-pci", "--probe", "stamp-auth"), "--probe")):
        done = run(BENCH, *arguments)
        checks.check("refused_" + says.split()[0].strip("-"), done.returncode == 2 and done.stderr.count("\n") == 1 and says in done.stderr, done.stderr)
    sh("ip -n %s route add local 10.88.0.0/16 dev lo" % network.p)
    for kind in ("icmp-echo", "tcp-syn"):
        got, why = measure(network, "--probe", kind)
        name = kind.replace("-", "_")
        checks.check("report_" + name, got.get("bench") == "veth" and got.get("probe") == kind, why)
        if got.get("bench") != "veth":
            continue
        checks.check("nothing_is_lost_" + name, got["sent"] > 0 and got["answered"] == got["sent"] and got["lost"] == got["late"] == got["duplicates"] == 0, got)
        checks.check("whatever_was_not_sent_is_ours_" + name, got["sent"] + got["own_unsent"] + got["own_dropped"] >= got["asked"], got)
        checks.check("quantiles_are_in_order_" + name, got["rtt_min_ns"] <= got["rtt_p50_ns"] <= got["rtt_p90_ns"] <= got["rtt_p99_ns"], got)
        checks.check("nothing_looked_forged_" + name, got["forged"] == got["malformed"] == 0, got)


sys.exit(Checks("bench_veth").main(scenario))
