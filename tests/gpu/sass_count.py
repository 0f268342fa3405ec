#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/sass-count reads what nvcc wrote; and a compression of seq keeps the ALU of a GPU to rotations and logic."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["ASSIZE_SOURCE"]
KERNEL = """#include "gpu/kinds/sha256.h"
__global__ void chain(uint8_t *ret_x, const uint8_t *x, uint32_t steps) {
  asz_sha256_x_store(ret_x + 32 * threadIdx.x, asz_sha256_chain(asz_sha256_x_load(x + 32 * threadIdx.x), steps));
}
__global__ void copy(uint8_t *ret_x, const uint8_t *x) {
  ret_x[threadIdx.x] = x[threadIdx.x];
}
"""
results = []


def check(name, ok, detail=""):
    results.append((ok, name, "" if ok else str(detail)))


def sass_count(*arguments):
    return subprocess.run([os.path.join(SOURCE, "scripts", "sass-count"), *arguments], capture_output=True, text=True, check=False)


def check_counts(nvcc, folder):
    source, cubin = os.path.join(folder, "chain.cu"), os.path.join(folder, "chain.cubin")
    with open(source, "w", encoding="utf-8") as file:
        file.write(KERNEL)
    built = subprocess.run([nvcc, "-arch=sm_90", "-std=c++17", "-O3", "-I" + SOURCE, "-cubin", source, "-o", cubin],
                           capture_output=True, text=True, check=False)
    check("nvcc_makes_a_cubin", built.returncode == 0, built.stderr)
    done = sass_count(cubin)
    check("every_kernel_is_counted", done.returncode == 0 and done.stdout.count("kernel ") == 2, done.stdout + done.stderr)
    chain = sass_count(cubin, "--kernel", "chain", "--loops-per-item", str(1 << 20)).stdout
    check("every_opcode_of_a_compression_has_a_name", "op_0x" not in chain, chain)
    counts = {name: int(number) for name, number in re.findall(r"\b(SHF|LOP3|alu|multiply|all) (\d+)", chain)}
    # 6 rotations a round, 6 shifts a schedule word, less 36 of words that are constants; 4 and 2 of logic, less 14.
    check("a_compression_has_the_rotations_and_logic_that_it_must_have",
          630 <= counts.get("SHF", 0) <= 640 and 335 <= counts.get("LOP3", 0) <= 345, chain)
    check("and_leaves_the_sums_to_the_multipliers", counts.get("alu", 9999) <= 1000 and counts.get("multiply", 0) >= 500, chain)
    check("the_ceiling_is_that_of_the_alu",
          abs(float(re.search(r"ceiling: (\S+) items", chain).group(1)) - 132 * 64 * 1.98e9 / counts["alu"] / (1 << 20)) < 10, chain)


def main():
    with tempfile.TemporaryDirectory() as folder:
        empty = os.path.join(folder, "no.o")
        with open(empty, "wb") as file:
            file.write(b"\x7fELF\x02\x01" + bytes(100))
        done = sass_count(empty)
        check("a_file_without_a_cubin_is_refused", done.returncode == 1 and "no uncompressed cubin" in done.stderr, done.stderr)
        nvcc = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
        if nvcc:
            check_counts(nvcc, folder)
        else:
            check("counts # SKIP no nvcc", True)
    print("TAP version 13\n1..%d" % len(results))
    for number, (ok, name, detail) in enumerate(results, 1):
        print("%s %d - sass_count::%s" % ("ok" if ok else "not ok", number, name))
        for line in detail.splitlines()[-20:]:
            print("# " + line)
    return 0 if all(ok for ok, _, _ in results) else 1


sys.exit(main())
