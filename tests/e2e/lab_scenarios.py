#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assize lab --scenario` with every scenario that is shipped: its claims about the known truth hold. Speaks TAP.

Claims that compare times depend on how busy the machine is: they get up to three runs. All others must hold in the first."""
import json
import os
import subprocess
import sys
import tempfile

from lab_claims import TIMING, TRIES, failed_claims
from veth import Checks

ASSIZE = sys.argv[1]
FOLDER = os.path.join(os.environ["ASSIZE_SOURCE"], "docs", "scenarios")
# As short as can be, for time: counts are exact however few. What takes several challenges in a row to show is judged by lab.py.
SHORT = ("--seconds", "3", "--each")
SMALL = {"attacks.ini": ("--providers", "192")}
checks = Checks("lab_scenarios")
check = checks.check


def lab(*options):
    done = subprocess.run([ASSIZE, "--json", "lab", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    try:
        return done, json.loads(done.stdout)
    except ValueError:
        return done, None


def run_scenario(name):
    path, word = os.path.join(FOLDER, name), name.split(".")[0]
    options = SHORT + SMALL.get(name, ())
    done, report = lab("--scenario", path, *options)
    check("%s_runs" % word, report is not None, done.stderr[:600])
    if not report:
        return None
    left = failed_claims(report)
    check("%s_counts_hold" % word, not [claim for claim in left if claim not in TIMING], str(left))
    if report["trials"]:  # what is new there is about challenges
        examine_trials(report["trials"])
        return report
    for _ in range(1, TRIES):
        if not left:
            break
        left = failed_claims(lab("--scenario", path, *options)[1])
    check("%s_times_hold_in_one_of_%d_runs" % (word, TRIES), not left, str(left))
    return report


def examine_trials(trials):
    """Every attack was tried, and none is caught more or less often than is claimed. A busy machine leaves some untried."""
    tried = [row for row in trials if row["trials"] > 0]
    check("attacks_are_tried", len(tried) > len(trials) // 2 and trials[-1]["attack"] == "honest", str(trials))
    wrong = [row for row in tried if not row["inside"]]
    check("attacks_are_caught_as_often_as_is_claimed", not wrong, str(wrong))


def reproduce(first):
    """Two runs of one seed have one truth, provider by provider: what is lost and how long the way is. Frames that a busy machine kept from a provider shift it."""
    runs = [first, lab("--scenario", os.path.join(FOLDER, "storm.ini"), *SHORT)[1]]
    each = [run["each"] for run in runs if run]
    check("every_provider_is_told", len(each) == 2 and len(each[0]) == len(each[1]) == first["providers"])
    if len(each) < 2:
        return
    pairs = [(a["truth"], b["truth"]) for a, b in zip(*each) if a["truth"]["probes"] == b["truth"]["probes"]]
    check("two_runs_of_a_seed_can_be_compared", len(pairs) > len(each[0]) // 2, "%d of %d" % (len(pairs), len(each[0])))
    off = [(a, b) for a, b in pairs if any(a[key] != b[key] for key in ("lost", "rtt_p50_ns", "rtt_p99_ns", "duplicates"))]
    check("two_runs_of_a_seed_have_one_truth", not off or runs[0]["emulator_faults"] + runs[1]["emulator_faults"] > 0, str(off[:3]))
    check("each_has_its_group_and_cheat", {row["group"] for row in each[0]} == {"coast", "island", "inland"} and {row["cheat"] for row in each[0]} == {"none"})


def refuse(folder):
    """A bad file is one line that names it and where, before anything is started."""
    path = os.path.join(folder, "bad.ini")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[group a]\ncount = rest\ndelay_us = 5 4\n")
    done, _ = lab("--scenario", path)
    check("a_bad_file_is_refused_with_its_line", done.returncode == 2 and done.stderr.count("\n") == 1 and "bad.ini:3: delay_us" in done.stderr, done.stderr)
    done, _ = lab("--scenario", os.path.join(FOLDER, "attacks.ini"), "--openings", "0")
    check("an_attack_that_cannot_show_is_refused", done.returncode == 2 and done.stderr.count("\n") == 1 and "attack: expected openings" in done.stderr, done.stderr)
    done, _ = lab("--scenario", os.path.join(FOLDER, "storm.ini"), "--providers", "30")
    check("groups_that_do_not_fit_are_refused", done.returncode == 2 and "storm.ini" in done.stderr and done.stderr.count("\n") == 1, done.stderr)


def main():
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".ini"))
    check("scenarios_are_shipped", len(names) > 0)
    reports = {name: run_scenario(name) for name in names}
    reproduce(reports["storm.ini"])
    with tempfile.TemporaryDirectory() as folder:
        refuse(folder)
    return checks.report()


sys.exit(main())
