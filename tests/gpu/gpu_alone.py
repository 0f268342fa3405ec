#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The room gpu/ builds alone, without DPDK and the control plane, and scripts/gpu-bench says what is missing."""
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["ASSIZE_SOURCE"]
results = []


def check(name, ok, detail=""):
    results.append("%s %d - gpu_alone::%s" % ("ok" if ok else "not ok", len(results) + 1, name))
    if not ok:
        results.extend("# " + line for line in str(detail).splitlines()[-20:])


def gpu_bench(*arguments):
    return subprocess.run([os.path.join(SOURCE, "scripts", "gpu-bench"), *arguments], capture_output=True, text=True, check=False)


def main():
    for arguments, expected in ((("--seconds", "0"), "a number from 1 to 999"), (("--seconds",), "a number from 1 to 999"),
                                (("--fast",), "expected --build-only")):
        done = gpu_bench(*arguments)
        check("wrong_option_%s_is_refused" % "_".join(arguments).strip("-"), done.returncode == 2 and expected in done.stderr and
              done.stderr.count("\n") == 1, done.stderr)
    with tempfile.TemporaryDirectory() as folder:
        build = os.path.join(folder, "build")
        setup = subprocess.run(["meson", "setup", build, SOURCE, "-Drooms=gpu", "-Dtests=false", "-Dcuda=disabled"],
                               capture_output=True, text=True, check=False)
        check("it_can_be_configured", setup.returncode == 0, setup.stdout + setup.stderr)
        ninja = subprocess.run(["ninja", "-C", build], capture_output=True, text=True, check=False)
        check("it_builds", ninja.returncode == 0, ninja.stdout)
        bench = os.path.join(build, "bench", "bench_verify")
        ran = subprocess.run([bench, "--smoke", "--json"], capture_output=True, text=True, check=False) if os.path.exists(bench) else None
        check("and_runs", ran is not None and ran.returncode == 0, ran)
        check("nothing_of_the_other_rooms_is_built", not os.path.exists(os.path.join(build, "control")))
        if shutil.which("nvidia-smi") is None:
            done = gpu_bench(os.path.join(folder, "other"))
            check("without_a_driver_it_says_so", done.returncode == 3 and "no NVIDIA driver" in done.stderr, done.stderr)
    print("TAP version 13\n1..%d" % len([r for r in results if not r.startswith("#")]))
    print("\n".join(results))
    return 1 if any(r.startswith("not ok") for r in results) else 0


sys.exit(main())
