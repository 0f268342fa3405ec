#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assize run --dry-run`: needs no root and no port, leaves everything as it was, and what it prints is a capture that others read. Speaks TAP."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

from veth import Checks

ASSIZE, RESPONDER = sys.argv[1:3]
KINDS = ("stamp", "stamp-tlv", "icmp-echo", "tcp-syn", "stamp-auth")
FRAMES = 40
checks = Checks("dryrun")
check = checks.check


def run(*command, stdin=None):
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def state(home):
    """What is on disk, less SQLite's own shared memory."""
    digest = {}
    for folder, _, names in os.walk(home):
        for name in names:
            if not name.endswith(("-shm", "-wal")):
                with open(os.path.join(folder, name), "rb") as file:
                    digest[name] = hashlib.sha256(file.read()).hexdigest()
    return digest


def tshark_reads_it(folder, text):
    if not shutil.which("tshark") or not shutil.which("text2pcap"):
        checks.skip("tshark_reads_every_frame", "needs tshark and text2pcap")
        return
    capture = os.path.join(folder, "plan.pcap")
    done = run("text2pcap", "-", capture, stdin=text)
    check("text2pcap_takes_the_output_as_it_is", done.returncode == 0, done.stderr)
    options = [word for proto in ("ip", "udp", "tcp") for word in ("-o", proto + ".check_checksum:TRUE")]
    done = run("tshark", "-r", capture, "-d", "udp.port==862,twamp.test", *options, "-T", "fields", "-e", "ip.proto", "-e", "frame.len",
               "-e", "ip.checksum.status", "-e", "udp.checksum.status", "-e", "tcp.checksum.status", "-e", "icmp.checksum.status", "-e", "tcp.flags.str")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    check("tshark_reads_every_frame", len(rows) == FRAMES, done.stdout + done.stderr)
    check("tshark_finds_every_checksum_right", rows and all(row[2] == "1" and "1" in row[3:6] and "0" not in row[3:6] for row in rows), done.stdout)
    check("tshark_sees_all_protocols", {row[0] for row in rows} == {"1", "6", "17"}, done.stdout)
    bad = run("tshark", "-r", capture, "-d", "udp.port==862,twamp.test", "-Y", "_ws.malformed || _ws.expert.severity == error")
    check("tshark_calls_no_frame_malformed", bad.returncode == 0 and not bad.stdout.strip(), bad.stdout + bad.stderr)


def tshark_reads_tags_and_ipv6(folder, secret, key):
    """Every kind over both families, behind an 802.1Q tag."""
    home, capture = os.path.join(folder, "tagged"), os.path.join(folder, "tagged.pcap")
    run(ASSIZE, "--home", home, "init", "--set", "network.local_ip=192.0.2.1", "--set", "network.local_ip6=2001:db8::1", "--set", "network.vlan=100")
    for number, kind in enumerate(KINDS):
        more = {"stamp-tlv": ["--key", key], "stamp-auth": ["--hmac-key-file", secret]}.get(kind, [])
        for family, address in (("4", "198.51.100.%d"), ("6", "2001:db8:1::%d")):
            device = ["--device", family] if kind == "stamp-tlv" else []
            run(ASSIZE, "--home", home, "provider", "add", "p%s-%s" % (family, kind), "--ip", address % (number + 1), "--probe", kind, *more, *device)
    text = run(ASSIZE, "--home", home, "run", "--dry-run", str(FRAMES)).stdout
    run("text2pcap", "-", capture, stdin=text)
    read = ("tshark", "-r", capture, "-d", "udp.port==862,twamp.test")
    rows = run(*read, "-T", "fields", "-e", "vlan.id", "-e", "ipv6.version", "-e", "ip.proto", "-e", "ipv6.nxt").stdout.splitlines()
    seen = {(vlan, "6" if v6 else "4", proto6 or proto4) for vlan, v6, proto4, proto6 in (row.split("\t") for row in rows)}
    check("tshark_sees_each_protocol_of_both_families_tagged", len(rows) == FRAMES and
          seen == {("100", "4", "1"), ("100", "4", "6"), ("100", "4", "17"), ("100", "6", "58"), ("100", "6", "6"), ("100", "6", "17")}, seen)
    options = [word for proto in ("ip", "udp", "tcp") for word in ("-o", proto + ".check_checksum:TRUE")]
    wrong = " || ".join("%s.checksum.status == 0" % proto for proto in ("ip", "udp", "tcp", "icmp", "icmpv6"))
    bad = run(*read, *options, "-Y", "_ws.malformed || _ws.expert.severity == error || " + wrong)
    check("tshark_calls_no_tagged_frame_malformed_and_no_checksum_wrong", bad.returncode == 0 and not bad.stdout.strip(), bad.stdout + bad.stderr)


def scenario(folder):
    home = os.path.join(folder, "home")

    def assize(*arguments):
        return run(ASSIZE, "--home", home, *arguments)

    assize("init", "--set", "network.local_ip=192.0.2.1")
    key = run(RESPONDER, "keygen", "--key", os.path.join(folder, "provider.key")).stdout.strip()
    secret = os.path.join(folder, "hmac.key")
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
        file.write(32 * "5a" + "\n")
    keys = {"stamp-tlv": ["--key", key], "stamp-auth": ["--hmac-key-file", secret]}
    done = assize("run", "--dry-run")
    check("without_providers_it_says_what_to_do", done.returncode == 2 and "provider" in done.stderr, done.stderr)
    for number, kind in enumerate(KINDS):
        done = assize("provider", "add", "p-" + kind, "--ip", "198.51.100.%d" % (number + 1), "--probe", kind, *keys.get(kind, []))
        check("registered_" + kind.replace("-", "_"), done.returncode == 0, done.stderr)
    before = state(home)
    text = assize("run", "--dry-run", str(FRAMES))
    check("it_ends_well", text.returncode == 0 and not text.stderr, text.stderr)
    check("it_prints_as_many_frames_as_asked", text.stdout.count("\n000000 ") == FRAMES, text.stdout[:600])
    check("ten_without_a_number", assize("run", "--dry-run").stdout.count("\n000000 ") == 10)
    check("every_kind_is_there", all("  %s  192.0.2.1" % kind in text.stdout for kind in KINDS), text.stdout[:600])
    document = json.loads(assize("--json", "run", "--dry-run", str(FRAMES)).stdout)
    frames = document["frames"]
    check("json_has_the_same_number", len(frames) == FRAMES and document["providers"] == len(KINDS))
    check("json_sizes_agree_with_the_bytes", all(len(frame["hex"]) == 2 * frame["size_bytes"] for frame in frames))
    check("frames_are_in_order_and_at_the_rate", [frame["offset_ns"] for frame in frames] == [i * 1000000000 // len(KINDS) for i in range(FRAMES)], frames[:3])
    check("two_dry_runs_have_different_secrets", frames[0]["cookie"] != json.loads(assize("--json", "run", "--dry-run", "1").stdout)["frames"][0]["cookie"])
    check("nothing_on_disk_has_changed", state(home) == before, before)
    tshark_reads_it(folder, text.stdout)
    if shutil.which("tshark") and shutil.which("text2pcap"):
        tshark_reads_tags_and_ipv6(folder, secret, key)
    for arguments in (("--dry-run", "x"), ("--dry-run", "100001"), ("--dry-run", "1", "2"), ("5",)):
        done = assize("run", *arguments)
        check("refused_" + "_".join(arguments).strip("-"), done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        scenario(folder)
    return checks.report()


sys.exit(main())
