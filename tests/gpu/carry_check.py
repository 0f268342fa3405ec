#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The few lines of gpu/kinds/hd.h that are written in a device's instructions, run here: what each must do is said in Python's integers, on seeded words and
on words at the ends of their range. Nothing else can run them where there is no GPU. Knows the instructions that they use and no others (PTX ISA, extended
precision: add, addc, sub, subc, mad, madc; .cc sets the carry). Speaks TAP."""
import itertools
import os
import random
import re
import sys

HEADER = os.path.join(os.environ.get("ASSIZE_SOURCE") or os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir), "gpu", "kinds", "hd.h")
MASK, SEED, ROUNDS = 0xFFFFFFFF, 61, 3000


def assembly(text, function):
    """Instructions and operands of a function's asm statement, the latter as C has them."""
    body = text[text.index(" %s(" % function):]
    statement = re.search(r"asm\((.*?)\);", body, re.S).group(1)
    code, outputs, inputs = re.split(r"\n\s*: ", statement)
    lines = "".join(re.findall(r'"([^"]*)"', code)).replace("\\n\\t", "").split(";")
    operands = re.findall(r'"([+=]?r)"\(([^)]*)\)', outputs) + re.findall(r'"([+=]?r)"\(([^)]*)\)', inputs)
    return [line.split(None, 1) for line in lines if line], operands


def step(name, words, carry):
    """Result and carry of one instruction. A borrow is a carry that is set."""
    parts = name.split(".")
    carry_in = carry if parts[0] in ("addc", "subc", "madc") else 0
    if parts[0] in ("add", "addc"):
        total = words[0] + words[1] + carry_in
    elif parts[0] in ("sub", "subc"):
        total = words[0] - words[1] - carry_in
    elif parts[0] in ("mad", "madc"):
        product = words[0] * words[1]
        total = (product >> 32 if parts[1] == "hi" else product & MASK) + words[2] + carry_in
    else:
        raise ValueError(name)
    return total & MASK, (total >> 32) & 1 if "cc" in parts else carry


def execute(instructions, operands, values):
    """The values of the operands afterwards; values: by their C text, of all that are read."""
    register, carry = [values.get(text) for _, text in operands], 0
    for name, places in instructions:
        target, *sources = [place.strip() for place in places.split(",")]
        words = [register[int(source[1:])] if source[0] == "%" else int(source) for source in sources]
        assert None not in words, "%s reads what was not written" % name
        register[int(target[1:])], carry = step(name, words, carry)
    return {text: value for (kind, text), value in zip(operands, register) if kind != "r"}


def number(values, count):
    return sum(values["r[%d]" % i] << 32 * i for i in range(count))


def samples(draw):
    ends = (0, 1, MASK - 1, MASK)
    for a, b in itertools.product(ends, ends):
        yield lambda a=a: a, lambda b=b: b
    for _ in range(ROUNDS):
        yield lambda: draw.choice(ends + (draw.getrandbits(32),) * 3), lambda: draw.choice(ends + (draw.getrandbits(32),) * 3)


def holds_add(values, after):
    b = sum(values["b[%d]" % i] << 32 * i for i in range(8))
    return number(after, 8) + (after["out"] << 256) == number(values, 8) + b


def holds_sub(values, after):
    difference = number(values, 8) - sum(values["b[%d]" % i] << 32 * i for i in range(8))
    return number(after, 8) == difference % 2**256 and after["out"] == (MASK if difference < 0 else 0)


def holds_mad(values, after):
    a = sum(values["a[%d]" % (2 * i)] << 64 * i for i in range(4))
    return number(after, 9) == number(values, 9) + a * values["b"]


FUNCTIONS = {"asz_hd_add8": holds_add, "asz_hd_sub8": holds_sub, "asz_hd_mad4": holds_mad}


def check(text, function, holds):
    """None, or the values for which it does not hold."""
    instructions, operands = assembly(text, function)
    for left, right in samples(random.Random(SEED)):
        values = {place: (left() if place.startswith("r[") else right()) for kind, place in operands if kind != "=r"}
        if "r[8]" in values:
            values["r[8]"] = min(values["r[8]"], MASK - 1)  # the sum must fit
        if not holds(values, execute(instructions, operands, values)):
            return values
    return None


def main():
    with open(HEADER, encoding="utf-8") as file:
        text = file.read()
    found = set(re.findall(r"(asz_hd_\w+)\([^;{]*\) \{\n#if defined\(__CUDACC__\)\n(?:  \w+ \w+;\n)?  asm\(", text)) - {"asz_hd_mul_wide"}
    wrong = {function: check(text, function, holds) for function, holds in FUNCTIONS.items()}
    spoilt = check(text.replace('"addc.cc.u32 %5', '"add.cc.u32 %5'), "asz_hd_add8", holds_add)
    results = [("%s_is_what_it_says" % function, values is None, values) for function, values in wrong.items()]
    results.append(("every_one_is_checked", found == set(FUNCTIONS), found ^ set(FUNCTIONS)))
    results.append(("a_lost_carry_is_noticed", spoilt is not None, ""))
    print("TAP version 13\n1..%d" % len(results))
    for index, (name, ok, detail) in enumerate(results, 1):
        print("%sok %d - carry::%s" % ("" if ok else "not ", index, name))
        if not ok:
            print("# %s" % detail)
    return 0 if all(ok for _, ok, _ in results) else 1


sys.exit(main())
