#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/growth, bench/growth-plot, bench/verify-growth and bench/guarantee-plot: wrong words end in status 2, a small run gives a line that both the table and the picture take. Speaks TAP."""
import json
import os
import sys
import tempfile
import xml.dom.minidom

from veth import Checks, run

BUILD, SOURCE = sys.argv[1], sys.argv[2]
GROWTH, PLOT = os.path.join(SOURCE, "bench", "growth"), os.path.join(SOURCE, "bench", "growth-plot")
VERIFY = os.path.join(SOURCE, "bench", "verify-growth")
GUARANTEE, GUARANTEE_PLOT = os.path.join(BUILD, "bench", "bench_guarantee"), os.path.join(SOURCE, "bench", "guarantee-plot")
LOOP = {"bench": "loop", "providers": 10_000_000, "rate_pps": 3_000_000, "cycles_per_probe": 700.5, "memory_peak_bytes": 3 << 30}
checks = Checks("growth")
check = checks.check


def written(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def refusals(folder):
    for words in (("--providers", "4095"), ("--providers", "10000001"), ("--providers", "many"), ("--benches", "made"), ("--rounds", "0"), ("--build", folder), ("10000",)):
        done = run(GROWTH, *words)
        check("refused_" + "_".join(words[:1] + words[1:] if words[0] != "--build" else words[:1]).replace("-", ""), done.returncode == 2 and done.stdout == "", done)
    for name, text in (("no_json", "providers\n"), ("no_bench", "{}\n"), ("another_bench", '{"bench": "verify", "providers": 1}\n'), ("no_object", "[1]\n")):
        done = run(PLOT, written(folder, name, text))
        check("plot_refuses_" + name, done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, done)
    for words in ((), ("--table",), ("a", "b"), (os.path.join(folder, "absent"),)):
        done = run(PLOT, *words)
        check("plot_refuses_%d_words" % len(words) if len(words) != 1 else "plot_refuses_" + os.path.basename(words[0]).strip("-"), done.returncode == 2, done)


def small_run(folder):
    done = run(GROWTH, "--build", BUILD, "--benches", "close", "--providers", "4096", "--rounds", "1", timeout=120)
    check("a_small_run_gives_a_line", done.returncode == 0 and done.stdout.count("\n") == 1, done)
    line = json.loads(done.stdout) if done.returncode == 0 else {}
    check("every_provider_was_judged", line.get("judged") == line.get("up") == line.get("providers") == 4096, line)
    check("memory_was_seen", line.get("memory_peak_bytes", 0) > 1 << 20, line)
    path = written(folder, "growth.jsonl", done.stdout + json.dumps(LOOP) + "\n")
    drawn, listed = run(PLOT, path), run(PLOT, "--table", path)
    check("the_picture_is_well_formed", drawn.returncode == 0 and xml.dom.minidom.parseString(drawn.stdout).documentElement.tagName == "svg", drawn)
    check("what_was_not_measured_is_not_drawn", drawn.stdout.count("<circle") == 1, drawn.stdout)  # that of the legend
    rows = [row for row in listed.stdout.splitlines() if row.startswith(("| 4,096 |", "| 10,000,000 |"))]
    check("the_table_says_what_was_not_measured", len(rows) == 2 and all("not measured" in row for row in rows), listed)


def verify_growth(folder):
    for words in (("--items", "0"), ("--items", "65537"), ("--kinds", "sid"), ("--backends", "gpu"), ("--keys", "0"), ("--seconds", "0"), ("--build", folder), ("a",)):
        done = run(VERIFY, *words)
        check("verify_refuses_" + "_".join(words if words[0] != "--build" else words[:1]).replace("-", ""), done.returncode == 2 and done.stdout == "", done)
    for name, text in (("no_json", "sig\n"), ("no_kind", '{"bench": "verify"}\n'), ("another_bench", json.dumps(LOOP) + "\n")):
        for option in ("--table", "--plot"):
            done = run(VERIFY, option, written(folder, name, text))
            check("verify_%s_refuses_%s" % (option[2:], name), done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, done)
    done = run(VERIFY, "--build", BUILD, "--kinds", "sig,seq,gemm", "--items", "16,32", "--keys", "20", timeout=120)
    check("verify_gives_a_line_a_size_and_kind", done.returncode == 0 and done.stdout.count("\n") == 6, done)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check("verify_says_latency_and_memory", all(line["batch_p50_us"] > 0 and line["memory_peak_bytes"] > 1 << 20 for line in lines), lines)
    path = written(folder, "verify.jsonl", done.stdout)
    drawn, listed = run(VERIFY, "--plot", path), run(VERIFY, "--table", path)
    check("verify_draws", drawn.returncode == 0 and xml.dom.minidom.parseString(drawn.stdout).documentElement.tagName == "svg", drawn)
    check("verify_lists", listed.returncode == 0 and listed.stdout.count("| cpu |") == 6, listed)


def guarantee(folder):
    for name, text in (("no_json", "alarms\n"), ("another_bench", json.dumps(LOOP))):
        for words in ((), ("--table",)):
            done = run(GUARANTEE_PLOT, *words, written(folder, name, text))
            check("guarantee_%sof_%s_is_refused" % ("table_" if words else "", name), done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, done)
    measured = [run(GUARANTEE, "--smoke", "--json", "--seed", seed) for seed in ("1", "1", "2")]
    first, again, other = (dict(json.loads(done.stdout), took_ms=0) for done in measured)
    check("a_seed_gives_the_same_figures_again", first == again and first["bounds_hold"], first)
    check("another_seed_gives_others", first["hash"] != other["hash"], other)
    path = written(folder, "guarantee.json", measured[0].stdout)
    drawn, listed = run(GUARANTEE_PLOT, path), run(GUARANTEE_PLOT, "--table", path)
    check("guarantee_draws", drawn.returncode == 0 and xml.dom.minidom.parseString(drawn.stdout).documentElement.tagName == "svg", drawn)
    check("guarantee_lists", listed.returncode == 0 and "| 1,000,000 | 1e-06 | 0 | none |" in listed.stdout, listed)
    with open(os.path.join(SOURCE, "docs", "guarantees.md"), encoding="utf-8") as page:
        published = run(GUARANTEE_PLOT, "--table", os.path.join(SOURCE, "docs", "guarantee.json"))
        check("the_page_has_the_tables_of_the_published_figures", published.returncode == 0 and published.stdout in page.read(), published)


with tempfile.TemporaryDirectory() as scratch:
    refusals(scratch)
    small_run(scratch)
    verify_growth(scratch)
    guarantee(scratch)
sys.exit(checks.report())
