# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests over veth share: two namespaces, a validator in one of them, checks that end as TAP."""
import json
import os
import subprocess
import sys
import tempfile


def sh(command):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)


def run(*command, timeout=60, env=None):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, env=env, check=False)


class Network:
    """v: the validator's namespace, its port without a kernel address. p: the providers', 10.88.1.0/24 by AnyIP."""

    def __init__(self):
        self.v, self.p = "asz%dv" % os.getpid(), "asz%dp" % os.getpid()
        for space in (self.v, self.p):
            sh("ip netns add " + space)
        sh("ip -n %s link add port0 type veth peer name eth0 netns %s" % (self.v, self.p))
        sh("ip -n %s link set port0 up" % self.v)
        sh("ip -n %s link set lo up; ip -n %s link set eth0 up; ip -n %s addr add 172.31.0.2/30 dev eth0" % (self.p, self.p, self.p))
        sh("ip netns exec %s ethtool -K eth0 tx off" % self.p)

    def close(self):
        for space in (self.v, self.p):
            subprocess.run(["ip", "netns", "del", space], check=False)


class Validator:
    def __init__(self, network, assize, home, **keys):
        self.network, self.binary, self.home = network, assize, home
        settings = {
            "network.eal": "--vdev=net_af_packet0,iface=port0", "network.local_ip": "172.31.0.1", "network.gateway_ip": "172.31.0.2",
            "network.memory_mib": "128", "network.huge_pages": "no", "time.epoch_s": "4", "time.slot_s": "1", "time.challenge_slot_s": "1",
            "challenge.deadline_ms": "400", "challenge.seq_log2_steps": "8", "probe.late_bound_us": "100000", "probe.fault_bound_ppm": "500000",
        }
        settings.update({key.replace("__", "."): value for key, value in keys.items()})
        self.made = self.assize("init", "--preset", "lab", *[word for key, value in settings.items() for word in ("--set", key + "=" + value)])

    def assize(self, *arguments):
        return run(self.binary, "--home", self.home, *arguments)

    def inside(self, *arguments):
        """A command that uses the port."""
        return run("ip", "netns", "exec", self.network.v, self.binary, "--home", self.home, *arguments)

    def json(self, *arguments):
        try:
            return json.loads(self.inside("--json", *arguments).stdout)
        except ValueError:
            return {}


class Checks:
    def __init__(self, suite):
        self.suite, self.results = suite, []

    def check(self, name, ok, detail=""):
        self.results.append((name, ok, str(detail)))

    def skip(self, name, why):
        self.results.append((name, None, why))

    def over_veth(self, scenario, folder):
        network = Network()
        try:
            scenario(self, network, folder)
        finally:
            network.close()

    def main(self, scenario, rootless=None):
        """scenario(checks, network, folder), and before it rootless(checks, folder), which needs no root; returns the exit code."""
        with tempfile.TemporaryDirectory() as folder:
            if rootless:
                rootless(self, folder)
            if os.geteuid() == 0:
                self.over_veth(scenario, folder)
            else:
                self.skip("over_veth", "network namespaces need root")
        print("TAP version 13\n1..%d" % len(self.results))
        for number, (name, ok, detail) in enumerate(self.results, 1):
            print("%sok %d - %s::%s%s" % ("not " if ok is False else "", number, self.suite, name, " # SKIP " + detail if ok is None else ""))
            if ok is False:
                for line in detail.strip().splitlines()[:20]:
                    print("# " + line)
        sys.stdout.flush()
        return 0 if all(ok is not False for _, ok, _ in self.results) else 1
