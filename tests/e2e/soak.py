#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/soak: wrong words end in status 2, growing memory is seen, a short run keeps its promises. Speaks TAP."""
import importlib.machinery
import importlib.util
import json
import os
import sys
import tempfile

from veth import Checks, run

BUILD, SOURCE = sys.argv[1], sys.argv[2]
SOAK = os.path.join(SOURCE, "bench", "soak")
MIB = 1 << 20
checks = Checks("soak")
check = checks.check


def module():
    sys.path.insert(0, os.path.dirname(SOAK))
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("soak", SOAK)
    loaded = importlib.util.module_from_spec(importlib.util.spec_from_loader("soak", loader))
    loader.exec_module(loaded)
    return loaded


def growth(grown):
    flat = [50 * MIB] + [100 * MIB] * 99
    check("flat_memory_is_flat", grown(flat) == (100 * MIB, 100 * MIB, False), grown(flat))
    check("what_comes_back_is_no_growth", not grown(flat[:40] + [150 * MIB] + flat[41:])[2])
    check("a_peak_at_the_end_is_growth", grown(flat[:-1] + [102 * MIB])[2])
    check("a_slow_leak_is_growth", grown([(100 * MIB) + n * MIB // 10 for n in range(100)])[2])
    check("a_hundredth_is_borne", not grown([100 * MIB] * 75 + [101 * MIB] * 25)[2])
    check("too_few_samples_prove_nothing", grown([MIB] * 3)[2])


def refusals(folder):
    for words in (("--seconds", "19"), ("--seconds", "long"), ("--providers", "0"), ("--providers", "262145"), ("--seed", "-1"), ("--build", folder), ("20",)):
        done = run(SOAK, *words)
        check("refused_%s" % "_".join(words if words[0] != "--build" else words[:1]).replace("-", ""), done.returncode == 2 and done.stdout == "", done)


def short_run():
    done = run(SOAK, "--build", BUILD, "--seconds", "20", "--providers", "200", timeout=150)
    result = json.loads(done.stdout) if done.stdout else {}
    check("a_short_run_gives_a_line", done.stdout.count("\n") == 1 and result.get("providers") == 200, done)
    check("its_status_is_its_verdict", (done.returncode == 0) == (result.get("ok") is True), done)
    check("every_claim_is_made", result.get("claims", 0) >= 20, result)
    check("memory_was_seen", result.get("memory_samples", 0) > 100 and result.get("memory_last_quarter_bytes", 0) > MIB, result)
    check("no_reply_went_to_another", not [name for name in result.get("claims_failed", ["no result"]) if "answered" in name or "innocent" in name], result)


with tempfile.TemporaryDirectory() as scratch:
    growth(module().grown)
    refusals(scratch)
    short_run()
sys.exit(checks.report())
