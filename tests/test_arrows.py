#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the arrows of the house: which room may include which. Every include of ours is root-relative, so one line shows its arrow.

Also: every source opens with its licence line, no file is too long to hold, and no include climbs with "..". Speaks TAP."""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.environ.get("ASSIZE_SOURCE") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINES_MAX = 700
ROOMS = ("dataplane", "gpu", "control", "bench", "tests")
SOURCES = (".c", ".h", ".cu", ".cuh")

# What assize-verify is made of: base, tlog, evidence, the e-process and slash names, gpu's CPU half.
VERIFY_MAY = ("dataplane/base/", "control/tlog/", "control/evidence/", "control/score/", "control/slash/", "gpu/verify.h", "gpu/kinds/", "gpu/prove/")
# The doors of the dataplane that control may use; docs/decisions/0002, 0011, 0016 and 0018 say why.
DATAPLANE_DOORS = (
    "dataplane/base/",
    "dataplane/engine.h",
    "dataplane/eal.h",
    "dataplane/dryrun.h",
    "dataplane/loopback.h",
    "dataplane/reflector.h",
    "dataplane/emulator/emulator.h",
)


def allowed(source, include):
    if source.startswith(("bench/", "tests/")):
        return True
    if source.startswith("dataplane/base/"):
        return include.startswith("dataplane/base/")
    if source.startswith("dataplane/"):
        return include.startswith("dataplane/")
    if source.startswith("gpu/"):
        return include.startswith(("gpu/", "dataplane/base/"))
    if source.startswith(("control/tlog/", "control/evidence/")):
        return include.startswith(VERIFY_MAY)
    if source == "control/responder/receipts.c" and include in ("control/tlog/tlog.h", "control/tlog/tree.h"):  # docs/decisions/0023
        return True
    if source.startswith("control/responder/"):
        return include.startswith(("dataplane/base/", "dataplane/eal.h", "dataplane/reflector.h", "control/responder/", "gpu/prove/", "control/cmd.h"))
    if source == "control/lab_forger.c" and include == "gpu/prove/cheat.h":  # docs/decisions/0025
        return True
    return include.startswith(("control/", "gpu/verify.h", "gpu/prove/prove.h") + DATAPLANE_DOORS)


def foreign(source, header):
    """System headers that a room must not know."""
    if source.startswith(("bench/", "tests/")):
        return False
    if header.startswith("rte_"):
        return not source.startswith("dataplane/") or source.startswith("dataplane/base/")
    if header.startswith("cuda"):
        return not source.endswith((".cu", ".cuh"))
    if header in ("curl/curl.h", "microhttpd.h"):
        return source != {"curl/curl.h": "control/witness_ask.c", "microhttpd.h": "control/witness_http.c"}[header]
    if header == "sqlite3.h":
        return not source.startswith("control/store/")
    return False


def unformatted(files):
    """What clang-format 14, Debian 12's, would change; None where there is no such clang-format."""
    tool = shutil.which("clang-format")
    if not tool or "version 14." not in subprocess.run([tool, "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout:
        return None
    files = [os.path.join(ROOT, f) for f in files if f.endswith((".c", ".h"))]
    done = subprocess.run([tool, "--dry-run", "-Werror"] + files, stderr=subprocess.PIPE, text=True, check=False)
    return sorted({line.split(":")[0] for line in done.stderr.splitlines() if " error: " in line})


def sources():
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(ROOT, room)):
            for name in sorted(names):
                if name.endswith(SOURCES):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def main():
    problems = {"arrows_of_the_house_hold": [], "every_source_names_its_licence": [], "no_source_is_too_long_to_hold": []}
    count = 0
    for source in sources():
        count += 1
        with open(os.path.join(ROOT, source), encoding="utf-8") as file:
            lines = file.read().splitlines()
        if "SPDX-License-Identifier: Apache-2.0" not in (lines[0] if lines else ""):
            problems["every_source_names_its_licence"].append(source)
        if len(lines) > LINES_MAX:
            problems["no_source_is_too_long_to_hold"].append("%s has %d lines" % (source, len(lines)))
        for number, line in enumerate(lines, 1):
            ours = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            theirs = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if ours and (not ours.group(1).startswith(tuple(r + "/" for r in ROOMS)) or not allowed(source, ours.group(1))):
                problems["arrows_of_the_house_hold"].append('%s:%d includes "%s"' % (source, number, ours.group(1)))
            if theirs and foreign(source, theirs.group(1)):
                problems["arrows_of_the_house_hold"].append("%s:%d includes <%s>" % (source, number, theirs.group(1)))
    if count == 0:
        problems["arrows_of_the_house_hold"].append("no source found under %s" % ROOT)
    problems["sources_are_formatted"] = unformatted(list(sources()))
    print("TAP version 13\n1..%d" % len(problems))
    for number, (name, found) in enumerate(problems.items(), 1):
        if found is None:
            print("ok %d - house::%s # SKIP no clang-format 14" % (number, name))
            continue
        print("%sok %d - house::%s" % ("not " if found else "", number, name))
        for problem in found:
            print("# " + problem)
    return 1 if any(problems.values()) else 0


sys.exit(main())
