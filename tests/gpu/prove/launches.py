#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What g++ does not read in gpu/prove/cuda.cu and its kernels, said in C++: launches, dynamic shared memory, the one instruction.

    launches.py cuda.cu kernels_prove.cuh prove_kernels.inc"""
import re
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        host = file.read()
    with open(sys.argv[2], encoding="utf-8") as file:
        kernels = file.read()
    host, launches = re.subn(r"(\w+)<<<(.*?)>>>\((.*?)\);", r"host_cuda::launch(host_cuda::config(\2), [=] { \1(\3); });", host, flags=re.S)
    kernels, shared = re.subn(r"extern __shared__ [^;]*;", "", kernels)
    kernels, products = re.subn(r'asm\("mma\.sync\.aligned\.m16n8k32\.row\.col\.s32\.s8\.s8\.s32.*?\);', "host_cuda_mma(sum, in);", kernels, flags=re.S)
    include = '#include "gpu/kernels_prove.cuh"\n'
    if launches == 0 or shared != 1 or products != 1 or host.count(include) != 1:
        sys.exit("launches.py: %d launches, %d shared, %d products: expected some, 1 and 1, and one include" % (launches, shared, products))
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        file.write(host.replace(include, kernels))


main()
