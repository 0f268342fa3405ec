#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assize sweep` through a router with two equal ways (ECMP by ports), one of which drops most of what it gets. Which port goes which way is asked of
the kernel, and must be what the sweep finds. Speaks TAP."""
import json
import os
import re
import subprocess
import sys

from veth import Checks, Validator, run, sh

ASSIZE, RESPONDER = sys.argv[1:3]
PORTS, BASE = 15, 49152  # odd: one of two ways has fewer
ADDRESS = {"plain": "10.88.1.1", "bound": "10.88.1.2", "echo": "10.88.1.3"}


def second_hop(network, host):
    """p becomes the router: two veth pairs to the host's namespace, both equally good."""
    sh("ip netns add " + host)
    for way in (0, 1):
        sh("ip -n %s link add down%d type veth peer name up%d netns %s" % (network.p, way, way, host))
        sh("ip -n %s link set down%d up; ip -n %s addr add 10.89.%d.1/30 dev down%d" % (network.p, way, network.p, way, way))
        sh("ip -n %s link set up%d up; ip -n %s addr add 10.89.%d.2/30 dev up%d" % (host, way, host, way, way))
        sh("ip netns exec %s ethtool -K up%d tx off" % (host, way))
    sh("ip -n %s link set lo up; ip -n %s route add local 10.88.1.0/24 dev lo; ip -n %s route add default via 10.89.0.1" % (host, host, host))
    sh("ip netns exec %s sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.up1.rp_filter=0" % host)
    sh("ip netns exec %s sysctl -qw net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=1" % network.p)
    sh("ip -n %s route add 10.88.1.0/24 nexthop via 10.89.0.2 nexthop via 10.89.1.2" % network.p)


def way_of(network, address, port):
    out = run("ip", "-n", network.p, "route", "get", address, "from", "172.31.0.1", "iif", "eth0", "ipproto", "udp", "sport", str(port), "dport", "862").stdout
    found = re.search(r"dev down(\d)", out)
    return int(found.group(1)) if found else None


def lossy_ports(document):
    return {path["source_port"] for path in document.get("paths", []) if path["lossy"]}


def kinds(checks, validator, network):
    """Before and after the way of fewer ports loses most of what it gets: a path is judged against the median one."""
    ways = {name: {BASE + i: way_of(network, ADDRESS[name], BASE + i) for i in range(PORTS)} for name in ("plain", "bound")}
    checks.check("the_kernel_hashes_ports_to_both_ways", all(set(by_port.values()) == {0, 1} for by_port in ways.values()), ways)
    options = ("--ports", str(PORTS), "--seconds", "4", "--rate", "20")
    for name in ("plain", "bound"):
        done = validator.inside("--json", "sweep", name, *options)
        document = validator_json(done)
        paths = document.get("paths", [])
        checks.check(name + "_all_paths_are_alike", done.returncode == 0 and document.get("bad_paths") == 0, done.stdout + done.stderr)
        checks.check(name + "_every_port_was_asked_and_answered", len(paths) == PORTS and all(path["sent"] >= 79 and path["answered"] == path["sent"] for path in paths), paths)
    for name in ("plain", "bound"):
        bad = int(sum(ways[name].values()) * 2 < PORTS)
        expected = {port for port, way in ways[name].items() if way == bad}
        sh("ip netns exec %s tc qdisc add dev down%d root tbf rate 8kbit burst 200 limit 400" % (network.p, bad))
        done = validator.inside("--json", "sweep", name, *options)
        sh("ip netns exec %s tc qdisc del dev down%d root" % (network.p, bad))
        document = validator_json(done)
        checks.check(name + "_the_bad_way_is_found_by_its_ports", done.returncode == 1 and lossy_ports(document) == expected,
                     "%d, expected %s\n%s%s" % (done.returncode, sorted(expected), done.stdout, done.stderr))
    done = validator.inside("sweep", "plain", "--ports", "4", "--seconds", "2")
    checks.check("the_table_has_a_line_a_port", all(str(BASE + i) in done.stdout for i in range(4)) and "source port" in done.stdout, done.stdout + done.stderr)


def validator_json(done):
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {}


def scenario(checks, network, folder):
    host = "asz%dh" % os.getpid()
    responder = None
    try:
        second_hop(network, host)
        validator = Validator(network, ASSIZE, os.path.join(folder, "home"))
        public_key = validator.made.stdout.split("public key")[1].split()[0]
        key = os.path.join(folder, "provider.key")
        provider_key = run(RESPONDER, "keygen", "--key", key).stdout.strip()
        responder = subprocess.Popen(["ip", "netns", "exec", host, RESPONDER, "run", "--key", key, "--validator", public_key],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        validator.assize("provider", "add", "plain", "--ip", ADDRESS["plain"])
        validator.assize("provider", "add", "bound", "--ip", ADDRESS["bound"], "--key", provider_key)
        validator.assize("provider", "add", "echo", "--ip", ADDRESS["echo"], "--probe", "icmp-echo")
        kinds(checks, validator, network)
        for arguments, code in ((("nobody",), 2), (("echo",), 2), ((), 2), (("plain", "--ports", "1"), 2), (("plain", "--ports", "65"), 2), (("plain", "--seconds", "0"), 2)):
            done = validator.inside("sweep", *arguments)
            checks.check("refused_" + "_".join(arguments).replace("--", ""), done.returncode == code and done.stderr.count("\n") == 1, done.stderr)
    finally:
        if responder:
            responder.terminate()
            responder.wait()
        subprocess.run(["ip", "netns", "del", host], check=False)


sys.exit(Checks("sweep").main(scenario))
