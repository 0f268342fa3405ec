# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests over veth share: two namespaces, a validator in one of them, checks that end as TAP."""
import json
import os
import re
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

    def add_ipv6(self):
        """eth0 is fd00:31::2 as well, and 2001:db8:88::/64 is the providers', as 10.88.1.0/24 is."""
        p = self.p
        sh("ip netns exec %s sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.eth0.accept_dad=0" % p)
        self.ask_soon("eth0")
        sh("ip netns exec %s sysctl -qw net.ipv6.conf.port0.disable_ipv6=1" % self.v)  # or that kernel, too, has a say about what arrives
        sh("ip -n %s addr add fd00:31::2/64 dev eth0 nodad" % p)
        sh("ip -n %s -6 route add local 2001:db8:88::/64 dev lo" % p)
        sh("ip -n %s route add local 10.88.1.0/24 dev lo" % p)

    def ask_soon(self, device):
        """The kernel asks who we are a second after it has first used what our own question told it, not five."""
        sh("ip netns exec %s sysctl -qw net.ipv6.neigh.%s.delay_first_probe_time=1" % (self.p, device))

    def add_tagged(self, vlan):
        """A device for tagged frames, 172.31.1.2 and fd00:32::2. False where the kernel knows no 802.1Q."""
        p = self.p
        if run("ip", "-n", p, "link", "add", "link", "eth0", "name", "tagged", "type", "vlan", "id", str(vlan)).returncode != 0:
            return False
        sh("ip -n %s link set tagged up; ip -n %s addr add 172.31.1.2/30 dev tagged; ip -n %s addr add fd00:32::2/64 dev tagged nodad" % (p, p, p))
        self.ask_soon("tagged")
        return True

    def link_local(self, device):
        out = run("ip", "-n", self.p, "-6", "-o", "addr", "show", "dev", device, "scope", "link").stdout
        return re.search(r"(fe80::\S+)/", out).group(1)

    def close(self):
        for space in (self.v, self.p):
            subprocess.run(["ip", "netns", "del", space], check=False)


class Validator:
    """Made by `init` unless its home is there already; keys are settings, with __ for the dot."""

    def __init__(self, network, assize, home, **keys):
        self.network, self.binary, self.home = network, assize, home
        if os.path.exists(home):
            return
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
        self.results.append((name, bool(ok), str(detail)))

    def skip(self, name, why):
        self.results.append((name, None, why))

    def over_veth(self, scenario, folder, kind=Network):
        network = kind()
        try:
            scenario(self, network, folder)
        finally:
            network.close()

    def main(self, scenario, rootless=None, kind=Network):
        """scenario(checks, network, folder), and before it rootless(checks, folder), which needs no root; returns the exit code. kind: of network."""
        with tempfile.TemporaryDirectory() as folder:
            if rootless:
                rootless(self, folder)
            if os.geteuid() == 0:
                self.over_veth(scenario, folder, kind)
            else:
                self.skip("over_veth", "network namespaces need root")
        return self.report()

    def report(self):
        """Prints what was checked, as TAP; returns the exit code."""
        print("TAP version 13\n1..%d" % len(self.results))
        for number, (name, ok, detail) in enumerate(self.results, 1):
            print("%sok %d - %s::%s%s" % ("not " if ok is False else "", number, self.suite, name, " # SKIP " + detail if ok is None else ""))
            if ok is False:
                for line in detail.strip().splitlines()[:20]:
                    print("# " + line)
        sys.stdout.flush()
        return 0 if all(ok is not False for _, ok, _ in self.results) else 1
