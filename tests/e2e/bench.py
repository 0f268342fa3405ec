#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assize bench`: on the loopback of its process, and over veth against a responder of one's own and nobody else. How fast is not looked at. Speaks TAP."""
import json
import os
import pty
import signal
import subprocess
import sys
import time

from veth import Checks, Validator, run, sh

ASSIZE, RESPONDER = sys.argv[1:3]
# Whatever happens on a busy machine, these rungs are clean.
LENIENT = ("--loss-ppm", "999999", "--fault-ppm", "999999")
SMALL = ("--providers", "2000", "--seconds", "4", "--rate-max", "200000")
STAGES = ["draw", "make", "sign", "send", "receive", "match", "verify", "record", "release"]
RESPONDER_PPS = "400"  # and as many at once: enough for the first rung, 300 probes, and not for the second, 600
OWN, PROVIDER = "10.88.1.1", "10.88.1.2"


def document(done):
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {}


def adds_up(rung):
    return rung["sent"] >= rung["answered"] and rung["lost"] == rung["sent"] - rung["answered"]


def loopback(checks, folder):
    def bench(*arguments):
        return run(ASSIZE, "--home", os.path.join(folder, "none"), *arguments)

    for kind in ("stamp", "stamp-tlv", "stamp-auth"):
        done = bench("--json", "bench", *SMALL, *LENIENT, "--kind", kind)
        found = document(done)
        rungs, stages = found.get("rungs", []), found.get("stages") or {}
        checks.check(kind + "_ends_well_without_a_home", done.returncode == 0, done.stderr)
        checks.check(kind + "_says_what_it_measured", (found.get("against"), found.get("kind"), found.get("targets")) == ("loopback", kind, 2000), found)
        checks.check(kind + "_rate_is_doubled_up_to_the_highest", [r["asked_pps"] for r in rungs] == [100000, 200000] and found["settled"], done.stdout)
        checks.check(kind + "_every_rung_adds_up_and_nothing_is_wrong", rungs and all(adds_up(r) and r["wrong"] == 0 and r["answered"] > 0 for r in rungs), rungs)
        checks.check(kind + "_latency_is_ordered", rungs and all(r["rtt_p50_ns"] <= r["rtt_p99_ns"] <= r["rtt_p999_ns"] for r in rungs), rungs)
        checks.check(kind + "_every_stage_cost_something", list(stages.get("cycles_per_probe", {})) == STAGES and all(v > 0 for v in stages["cycles_per_probe"].values()), stages)
        checks.check(kind + "_stderr_is_quiet_where_it_is_no_terminal", done.stderr == "", done.stderr)
    done = bench("bench", *SMALL, *LENIENT)
    checks.check("text_has_ladder_result_and_stages", done.returncode == 0 and all(word in done.stdout for word in ["verdict", "highest clean rate", "added latency"] + STAGES), done.stdout)
    # At 200 million probes a second no machine keeps up, and no fault is allowed.
    done = bench("--json", "bench", "--providers", "2000", "--seconds", "2", "--fault-ppm", "0", "--loss-ppm", "0")
    found = document(done)
    unclean = [r for r in found.get("rungs", []) if r["verdict"] != "clean"]
    checks.check("too_high_a_rate_is_named_by_its_cause", unclean and all(r["not_sent"] + r["refused"] + r["late"] + r["lost"] > 0 or r["verdict"] == "slow" for r in unclean), done.stdout)
    checks.check("exit_code_says_whether_a_rate_was_clean", done.returncode == (0 if found.get("clean_pps") else 1), done.stdout)
    interrupted(checks, folder)
    live_line(checks, folder)
    for arguments in (("x",), ("--seconds", "0"), ("--seconds", "601"), ("--kind", "icmp-echo"), ("--kind", "x"), ("--providers", "0"), ("--rate-max", "0"),
                      ("--loss-ppm", "1000000"), ("--fault-ppm", "-1"), ("--responder",), ("--responder", "a", "--kind", "stamp"), ("--responder", "a", "--providers", "5"), ("--port", "0")):
        done = bench("bench", *arguments)
        checks.check("refused_" + "_".join(arguments).replace("--", ""), done.returncode == 2 and done.stderr.count("\n") == 1 and not done.stdout, done.stderr)


def interrupted(checks, folder):
    child = subprocess.Popen([ASSIZE, "--home", folder, "--json", "bench", "--providers", "2000", "--seconds", "60", "--rate-max", "100000", *LENIENT],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    try:
        found = json.loads(out)
    except ValueError:
        found = {}
    checks.check("ctrl_c_ends_with_what_was_measured", child.returncode == 130 and found.get("interrupted") is True, "%d %s %s" % (child.returncode, out, err))


def live_line(checks, folder):
    """With a terminal for stderr, and only there, a line is written over and over; the result stays on stdout."""
    master, slave = pty.openpty()
    child = subprocess.Popen([ASSIZE, "--home", folder, "--json", "bench", *SMALL, *LENIENT], stdout=subprocess.PIPE, stderr=slave, text=True)
    out, _ = child.communicate(timeout=60)
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 65536):
            seen += chunk
    except OSError:
        pass  # the terminal's other end is closed
    os.close(master)
    checks.check("live_line_on_a_terminal", b"\rbench: at " in seen and seen.endswith(b"\r\x1b[K"), seen[-300:])
    checks.check("live_line_leaves_stdout_alone", json.loads(out)["against"] == "loopback", out)


def over_veth(checks, network, folder):
    sh("ip -n %s route add local 10.88.1.0/24 dev lo" % network.p)
    validator = Validator(network, ASSIZE, os.path.join(folder, "home"), probe__rate_max_pps="4000")
    key = os.path.join(folder, "provider.key")
    provider_key = run(RESPONDER, "keygen", "--key", key).stdout.strip()
    public_key = validator.made.stdout.split("public key")[1].split()[0]
    validator.assize("provider", "add", "own", "--ip", OWN, "--control")
    validator.assize("provider", "add", "bound", "--ip", "10.88.1.4", "--key", provider_key, "--control")
    validator.assize("provider", "add", "echo", "--ip", "10.88.1.3", "--probe", "icmp-echo", "--control")
    validator.assize("provider", "add", "theirs", "--ip", PROVIDER)
    capture = subprocess.Popen(["ip", "netns", "exec", network.p, "dumpcap", "-q", "-i", "eth0", "-f", "udp or icmp", "-w", os.path.join(folder, "p.pcap")],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    responder = subprocess.Popen(["ip", "netns", "exec", network.p, RESPONDER, "run", "--key", key, "--validator", public_key, "--rate-pps", RESPONDER_PPS],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        against_own(checks, validator)
    finally:
        responder.terminate()
        capture.terminate()
        responder.wait()
        capture.wait()
    asked = set(run("tshark", "-r", os.path.join(folder, "p.pcap"), "-Y", "ip.src == 172.31.0.1", "-T", "fields", "-e", "ip.dst").stdout.split())
    checks.check("nobody_else_was_asked", asked == {OWN, "10.88.1.4"}, asked)


def against_own(checks, validator):
    for name, kind in (("own", "stamp"), ("bound", "stamp-tlv")):
        done = validator.inside("--json", "bench", "--responder", name, "--seconds", "6", "--fault-ppm", "999999", "--loss-ppm", "100000")
        found = document(done)
        rungs = found.get("rungs", [])
        checks.check(name + "_finds_a_clean_rate", done.returncode == 0 and found.get("kind") == kind and found.get("targets") == 64, done.stdout + done.stderr)
        checks.check(name + "_never_over_the_cap_of_the_configuration", rungs and max(r["asked_pps"] for r in rungs) <= 4000, rungs)
        checks.check(name + "_begins_slowly", rungs and rungs[0]["asked_pps"] == 1000 and rungs[0]["answered"] > 0, rungs)
        checks.check(name + "_stops_where_the_responder_does", 1000 <= found.get("clean_pps", 0) < found.get("bad_pps", 0) <= 2000, found)
    done = validator.inside("--json", "bench", "--responder", "own", "--seconds", "2", "--rate-max", "1500", "--fault-ppm", "999999", "--loss-ppm", "999999")
    checks.check("rate_max_bounds_it_further", [r["asked_pps"] for r in document(done).get("rungs", [])] == [1000, 1500], done.stdout + done.stderr)
    for name, word in (("theirs", "not one of your own"), ("nobody", "no provider"), ("echo", "UDP")):
        done = validator.inside("bench", "--responder", name)
        checks.check("refused_responder_" + name, done.returncode == 2 and word in done.stderr and done.stderr.count("\n") == 1 and not done.stdout, done.stderr)
    done = validator.inside("bench", "--responder", "own", "--rate-max", "4001")
    checks.check("refused_over_the_cap", done.returncode == 2 and "probe.rate_max_pps" in done.stderr, done.stderr)


sys.exit(Checks("bench").main(over_veth, loopback))
