#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Others and us. The prober against a STAMP reflector, and `assize-responder` against a STAMP sender, that were written from the RFC without a line of this
project (stamp_rfc.py), in both modes, over IPv4, IPv6 and with an 802.1Q tag; and every kind of probe and reply of all that, captured and read by tshark.

With `--reflector COMMAND` it runs the prober against a reflector of somebody else instead, which must answer at 172.31.0.2, port 862; with `--sender
COMMAND` that command against `assize-responder`, at the same place. Both are run within a network namespace, and what they print is shown. Speaks TAP."""
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time

import curve
import stamp_rfc
from veth import Checks, Validator, run, sh

ASSIZE, RESPONDER = sys.argv[1:3]
HERE = os.path.dirname(os.path.abspath(__file__))
KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
VLAN = 100
RESPONDER_AT = "10.88.1.9"
# name: address, registered as, how the peer reflects
PEERS = {
    "plain": ("10.88.1.1", ("--probe", "stamp"), ()),
    "counting": ("10.88.1.2", ("--probe", "stamp", "--no-ssid"), ("stateful", "no-ssid")),
    "sealed": ("10.88.1.3", ("--probe", "stamp-auth"), ("key=" + KEY.hex(),)),
    "stranger": ("10.88.1.4", ("--probe", "stamp-auth"), ("key=" + OTHER_KEY.hex(),)),
    "plain6": ("2001:db8:88::1", ("--probe", "stamp"), ()),
    "sealed6": ("2001:db8:88::3", ("--probe", "stamp-auth"), ("key=" + KEY.hex(), "stateful")),
}
WRONG = ("rx_forged", "rx_bad_mac", "rx_malformed", "rx_replayed", "rx_duplicate", "rx_bad_checksum", "rx_wrong_path", "rx_unsolicited")
LISTEN = "import socket, time; s = socket.create_server(('::', 443), family=socket.AF_INET6, dualstack_ipv6=True); time.sleep(120)"


def start(network, *command, **more):
    return subprocess.Popen(["ip", "netns", "exec", network.p, *command], text=True, **more)


def stop(process):
    process.terminate()
    return process.communicate(timeout=30)[0]


def epoch(validator):
    return validator.json("run", "--epochs", "1").get("counters", {})


def answered(counters):
    return sum(counters.get(name, 0) for name in ("rx_answered", "rx_late", "rx_doubtful"))


# ---- our prober, the RFC's reflector ----

def register_peers(validator, folder, names):
    secret = os.path.join(folder, "hmac.key")
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(KEY.hex() + "\n")
    for name in names:
        address, kind, _ = PEERS[name]
        more = ("--hmac-key-file", secret) if "stamp-auth" in kind else ()
        validator.assize("provider", "add", name, "--ip", address, *kind, *more)


def against_reflector(checks, network, validator, folder, what, names):
    register_peers(validator, folder, names)
    peer = start(network, sys.executable, os.path.join(HERE, "stamp_rfc.py"), *[",".join((PEERS[n][0], *PEERS[n][2])) for n in names], stdout=subprocess.PIPE)
    time.sleep(0.5)
    counters = epoch(validator)
    said = json.loads(stop(peer) or "{}")
    took = {name: said.get(PEERS[name][0], [0, 0]) for name in names}
    checks.check(what + "_every_probe_is_answered_and_believed", counters.get("tx_probes", 0) > 50 and answered(counters) == counters["tx_probes"], counters)
    checks.check(what + "_no_reply_is_doubted", not any(counters.get(name, 1) for name in WRONG), counters)
    checks.check(what + "_each_reflector_verified_each_request", all(good > 0 and bad == 0 for good, bad in took.values()), took)
    checks.check(what + "_it_answered_what_we_sent", sum(good for good, _ in took.values()) == counters.get("tx_probes"), (took, counters))
    scores = validator.json("scores").get("scores", [])
    checks.check(what + "_all_are_up", len(scores) == len(names) and all(score["state"] == "up" for score in scores), scores)


def against_wrong_key(checks, network, folder):
    validator = Validator(network, ASSIZE, os.path.join(folder, "stranger"))
    register_peers(validator, folder, ["stranger"])
    peer = start(network, sys.executable, os.path.join(HERE, "stamp_rfc.py"), ",".join((PEERS["stranger"][0], *PEERS["stranger"][2])), stdout=subprocess.PIPE)
    time.sleep(0.5)
    counters = epoch(validator)
    said = json.loads(stop(peer) or "{}").get(PEERS["stranger"][0])
    checks.check("under_another_key_it_refuses_all_and_nobody_is_answered", counters.get("tx_probes", 0) > 10 and answered(counters) == 0 and
                 said == [0, counters["tx_probes"]], (said, counters))


# ---- the RFC's sender, our responder ----

def exchange(checks, what, packet, key=None, expect_reply=True):
    """Within p. True fields of the reply, or {}."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.settimeout(2 if expect_reply else 0.5)
        ours.connect((RESPONDER_AT, stamp_rfc.PORT))
        sent = stamp_rfc.ntp()
        ours.send(packet)
        try:
            reply = ours.recv(2048)
        except OSError:
            checks.check(what, not expect_reply, "no reply")
            return {}
    try:
        fields = stamp_rfc.read_reply(reply, key)
    except ValueError as error:
        checks.check(what, False, error)
        return {}
    right = (expect_reply and len(reply) == len(packet) and fields["sender_sequence"] == 0xABCD0123 and fields["ssid"] == 0x1234 and
             fields["sender_error"] == stamp_rfc.ERROR_ESTIMATE and fields["ttl"] == 64 and sent <= fields["received"] + 2**22 and
             fields["received"] <= fields["sent"] <= stamp_rfc.ntp() + 2**22)
    checks.check(what, right, (len(reply), fields))
    return fields


def child_senders(key_hex):
    """Run by ourselves in the other namespace; checks come back as JSON."""
    checks, key = Checks("child"), bytes.fromhex(key_hex)
    plain = stamp_rfc.request(0xABCD0123, ssid=0x1234)
    sealed = stamp_rfc.request(0xABCD0123, key, ssid=0x1234)
    exchange(checks, "our_responder_answers_by_the_rfc", plain)
    exchange(checks, "our_responder_answers_by_the_rfc_in_authenticated_mode", sealed, key)
    exchange(checks, "our_responder_is_silent_to_a_wrong_hmac", sealed[:-1] + bytes([sealed[-1] ^ 1]), key, expect_reply=False)
    exchange(checks, "our_responder_is_silent_to_another_key", stamp_rfc.request(0xABCD0123, OTHER_KEY, ssid=0x1234), key, expect_reply=False)
    exchange(checks, "our_responder_is_silent_to_a_short_packet", plain[:-1], expect_reply=False)
    print(json.dumps(checks.results))


def from_sender(checks, network, key_hex):
    done = run("ip", "netns", "exec", network.p, sys.executable, os.path.abspath(__file__), ASSIZE, RESPONDER, "--child", key_hex)
    found = json.loads(done.stdout) if done.returncode == 0 else []
    checks.check("the_sender_ran", len(found) == 5, done.stderr)
    for name, ok, detail in found:
        checks.check(name, ok, detail)


def own_kinds(checks, network, folder):
    """Every kind against our responder and the kernel, for the capture; and the RFC's sender against the same responder."""
    validator = Validator(network, ASSIZE, os.path.join(folder, "own"), network__local_ip6="fd00:31::1", network__gateway_ip6="fd00:31::2")
    public_key = validator.made.stdout.split("public key")[1].split()[0]
    key = os.path.join(folder, "provider.key")
    provider_key = run(RESPONDER, "keygen", "--key", key).stdout.strip()
    for number, (name, kind) in enumerate((("a", "stamp"), ("b", "stamp-tlv"), ("c", "stamp-auth"), ("d", "icmp-echo"), ("e", "tcp-syn"))):
        validator.assize("provider", "add", name, "--ip", "10.88.1.%d" % (number + 11), "--key", provider_key, "--device", str(number), "--probe", kind)
    validator.assize("provider", "add", "d6", "--ip", "2001:db8:88::d", "--probe", "icmp-echo")
    validator.assize("provider", "add", "e6", "--ip", "2001:db8:88::e", "--probe", "tcp-syn")
    validator.assize("provider", "add", "f6", "--ip", "2001:db8:88::f", "--probe", "tcp-syn", "--port", "444")
    responder = start(network, RESPONDER, "run", "--key", key, "--validator", public_key, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    listener = start(network, sys.executable, "-c", LISTEN)
    try:
        time.sleep(0.5)
        counters = epoch(validator)
        checks.check("own_every_probe_is_answered", counters.get("tx_probes", 0) > 100 and answered(counters) == counters["tx_probes"], counters)
        with open(os.path.join(folder, "own", "validator.key"), encoding="ascii") as file:
            seed = bytes.fromhex(file.read().split()[1])
        from_sender(checks, network, curve.stamp_auth_key(seed, bytes.fromhex(public_key), bytes.fromhex(provider_key)).hex())
    finally:
        stop(responder)
        stop(listener)


# ---- what tshark says ----

# name: display filter; all of them must have been seen, both ways. 52, 104 and 120 are the UDP lengths of the three kinds of STAMP.
SEEN = {"%s_%s_%s" % (kind, way, family): "%s && !vlan && udp.%sport == 862 && udp.length == %d" % (proto, side, length)
        for kind, length in (("stamp", 52), ("stamp_tlv", 104), ("stamp_auth", 120)) for way, side in (("probe", "dst"), ("reply", "src"))
        for family, proto in (("ipv4", "ip"), ("ipv6", "ipv6")) if (kind, family) != ("stamp_tlv", "ipv6")}
SEEN.update({
    "echo_probe_ipv4": "icmp.type == 8", "echo_reply_ipv4": "icmp.type == 0", "echo_probe_ipv6": "icmpv6.type == 128", "echo_reply_ipv6": "icmpv6.type == 129",
    "syn_ipv4": "ip && tcp.flags == 0x002", "syn_ack_ipv4": "ip && tcp.flags == 0x012", "reset_ipv4": "ip && tcp.flags == 0x004",
    "syn_ipv6": "ipv6 && tcp.flags == 0x002", "syn_ack_ipv6": "ipv6 && tcp.flags == 0x012", "refusal_ipv6": "ipv6 && tcp.flags == 0x014",
    "arp": "arp", "solicitation": "icmpv6.type == 135", "advertisement": "icmpv6.type == 136",
})
SEEN_TAGGED = {"tagged_%s_%s" % (family, way): "vlan.id == %d && %s && udp.%sport == 862" % (VLAN, proto, side)
               for way, side in (("probe", "dst"), ("reply", "src")) for family, proto in (("ipv4", "ip"), ("ipv6", "ipv6"))}


def tshark_reads_it(checks, capture, tagged):
    options = [word for proto in ("ip", "udp", "tcp") for word in ("-o", proto + ".check_checksum:TRUE")]
    read = ("tshark", "-r", capture, "-d", "udp.port==862,twamp.test", *options)
    bad = run(*read, "-Y", "_ws.malformed || _ws.expert.severity == error")
    checks.check("tshark_calls_no_frame_malformed", bad.returncode == 0 and not bad.stdout.strip(), bad.stdout + bad.stderr)
    bad = run(*read, "-Y", " || ".join("%s.checksum.status == 0" % proto for proto in ("ip", "udp", "tcp", "icmp", "icmpv6")))
    checks.check("tshark_finds_every_checksum_right", bad.returncode == 0 and not bad.stdout.strip(), bad.stdout + bad.stderr)
    for name, display in {**SEEN, **(SEEN_TAGGED if tagged else {})}.items():
        found = run(*read, "-Y", display, "-c", "100000", "-T", "fields", "-e", "frame.number").stdout.split()
        checks.check("tshark_reads_" + name, len(found) > 0, display)


def scenario(checks, network, folder):
    network.add_ipv6()
    sh("ip netns exec %s sysctl -qw net.ipv6.ip_nonlocal_bind=1" % network.p)  # IPv6 has no AnyIP for those who bind
    capture = os.path.join(folder, "all.pcap")
    has_tshark = shutil.which("tshark") and shutil.which("dumpcap")
    recorder = start(network, "dumpcap", "-q", "-i", "eth0", "-w", capture, stderr=subprocess.DEVNULL) if has_tshark else None
    time.sleep(1)
    both = {"network__local_ip6": "fd00:31::1", "network__gateway_ip6": "fd00:31::2"}
    names = [name for name in PEERS if name != "stranger"]
    tagged = False
    try:
        against_reflector(checks, network, Validator(network, ASSIZE, os.path.join(folder, "rfc"), **both), folder, "reflector", names)
        against_wrong_key(checks, network, folder)
        own_kinds(checks, network, folder)
        tagged = network.add_tagged(VLAN)
        if tagged:
            keys = {"network__vlan": str(VLAN), "network__local_ip": "172.31.1.1", "network__gateway_ip": "172.31.1.2", "network__local_ip6": "fd00:32::1",
                    "network__gateway_ip6": "fd00:32::2"}
            against_reflector(checks, network, Validator(network, ASSIZE, os.path.join(folder, "tagged"), **keys), folder, "tagged", ["plain", "plain6"])
        else:
            checks.skip("tagged", "this kernel has no 802.1Q devices")
    finally:
        if recorder:
            time.sleep(1)
            stop(recorder)
    if recorder:
        tshark_reads_it(checks, capture, tagged)
    else:
        checks.skip("tshark", "needs tshark and dumpcap")


# ---- somebody else's ----

def with_others(checks, network, folder):
    option, command = sys.argv[3:5]
    validator = Validator(network, ASSIZE, os.path.join(folder, "home"))
    # A reflector that is bound to no address answers from the device's own, so that is the one to ask.
    validator.assize("provider", "add", "peer", "--ip", "172.31.0.2", "--probe", "stamp", *sys.argv[5:])
    if option == "--reflector":
        peer = start(network, *shlex.split(command))
        time.sleep(2)
        counters = epoch(validator)
        peer.terminate()
        peer.wait(timeout=30)
        print("# " + json.dumps({name: value for name, value in counters.items() if value}))
        checks.check("every_probe_is_answered_and_believed", counters.get("tx_probes", 0) > 10 and answered(counters) == counters["tx_probes"], counters)
        checks.check("no_reply_is_doubted", not any(counters.get(name, 1) for name in WRONG), counters)
        return
    key = os.path.join(folder, "provider.key")
    run(RESPONDER, "keygen", "--key", key)
    responder = start(network, RESPONDER, "run", "--key", key, "--validator", validator.made.stdout.split("public key")[1].split()[0], "--json", stdout=subprocess.PIPE)
    time.sleep(0.5)
    done = run("ip", "netns", "exec", network.p, *shlex.split(command))
    counters = json.loads(stop(responder).splitlines()[-1])
    print("".join("# %s\n" % line for line in (done.stdout + done.stderr).splitlines()))
    print("# " + json.dumps({name: value for name, value in counters.items() if value}))
    checks.check("the_sender_ends_well", done.returncode == 0, done.returncode)
    checks.check("our_responder_answered", counters["answered_plain"] > 0, counters)


if sys.argv[3:4] == ["--child"]:
    child_senders(sys.argv[4])
else:
    sys.exit(Checks("interop").main(with_others if len(sys.argv) > 3 else scenario))
