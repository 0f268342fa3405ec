#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/compare: what is no argument ends in one line, what is missing skips with one, an interrupted run leaves nothing behind, and a small run of each
comparison gives a table. Speaks TAP."""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from veth import Checks, run

BUILD, SOURCE = sys.argv[1], sys.argv[2]
COMPARE = os.path.join(SOURCE, "bench", "compare")
WRONG = (
    ("make", "x"), ("make", "0"), ("make", "1", "2"), ("make", "--rounds"), ("rtt", "101"), ("rtt", "-1"), ("veth", "500001"), ("veth", "12345678"),
    ("run", "make"), ("setup", "--yes"),
)
PEERS = {"make": ("dpdk-testpmd",), "veth": ("zmap", "masscan", "fping", "ethtool"), "rtt": ("fping", "scamper", "ethtool")}
ROWS = {"make": ("assize", "testpmd txonly", "testpmd flowgen"), "veth": ("assize, with RTT (none unheard)", "zmap", "masscan"), "rtt": ("assize", "fping", "scamper")}
checks = Checks("compare")
check = checks.check
skip = checks.skip


def compare(script, *arguments, **environment):
    return run(os.path.join(COMPARE, script), *arguments, timeout=120, env=dict(os.environ, BUILD=BUILD, **environment))


def leftovers(folder):
    return [name for name in glob.glob("/run/netns/aszcmp*")] + os.listdir(folder)


def refusals():
    for words in WRONG:
        done = compare(*words)
        check("refused_" + "_".join(words).replace("-", ""), done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, done)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("bash", "env", "dirname", "basename", "realpath", "id"):
            os.symlink(shutil.which(name), os.path.join(folder, name))
        for script in PEERS:
            done = compare(script, PATH=folder)
            check("skipped_without_peers_" + script, done.returncode == 77 and done.stderr.count("\n") == 1 and "bench/compare/setup" in done.stderr, done)
        done = run(os.path.join(COMPARE, "make"), env=dict(os.environ, BUILD=folder))
        check("refused_without_a_build", done.returncode in (2, 77) and done.stderr.count("\n") == 1, done)


def missing(script):
    absent = [peer for peer in PEERS[script] if not shutil.which(peer)]
    if absent:
        return "not found: " + ", ".join(absent)
    return "network namespaces need root" if script != "make" and os.geteuid() != 0 else None


def small_runs():
    for script, rows in ROWS.items():
        why = missing(script)
        if why:
            skip("small_run_" + script, why)
            continue
        done = compare(script, "--smoke")
        table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
        named = [line.split(" | ")[0].strip("| ") for line in table]
        check("small_run_" + script, done.returncode == 0 and all(row in named for row in rows), done)


def interruption():
    why = missing("rtt")
    if why:
        skip("an_interrupted_run_leaves_nothing", why)
        return
    with tempfile.TemporaryDirectory() as folder:
        before = set(leftovers(folder))
        process = subprocess.Popen(
            [os.path.join(COMPARE, "rtt")], env=dict(os.environ, BUILD=BUILD, TMPDIR=folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not os.path.exists(os.path.join("/run/netns", "aszcmp%dp" % process.pid)):
            time.sleep(0.01)
        made = len(set(leftovers(folder)) - before)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        process.wait(timeout=60)
        check("an_interrupted_run_leaves_nothing", made > 0 and process.returncode == 130 and set(leftovers(folder)) <= before,
              (made, process.returncode, leftovers(folder)))


refusals()
small_runs()
interruption()
sys.exit(checks.report())
