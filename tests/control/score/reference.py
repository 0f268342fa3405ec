#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent reference for control/score: every function again, from its definition in docs/scoring.md, with Python's
unbounded integers, fractions and decimals instead of fixed point.

    reference.py SEED COUNT

prints about COUNT cases of each function, one a line: `name argument... = low high`; the C result must lie in low..high. For
most functions low == high. The e-process is a running one: `eprocess_new`, then `eprocess X = low high` steps it by X and bounds
E: high is floor of the true E (exact rationals), which the C value must never exceed.
"""
import random
import sys
from decimal import Decimal, ROUND_FLOOR, ROUND_HALF_UP, getcontext
from fractions import Fraction
from math import isqrt

getcontext().prec = 60
Q32 = 1 << 32
PPM = 10**6
LN2 = Decimal(2).ln()
U64 = (1 << 64) - 1


def log2(x):
    return Decimal(x).ln() / LN2


def floor(x):
    return int(x.to_integral_value(rounding=ROUND_FLOOR))


def case(name, arguments, low, high):
    print(name, *arguments, "=", low, high)


def magnitudes(rng, bits):
    """Random integers of every size, since uniform ones are nearly all large."""
    return rng.getrandbits(rng.randint(1, bits))


def isqrt_cases(rng, count):
    edges = [0, 1, 2, 3, 4, (1 << 64) - 1, 1 << 64, U64 * U64 - 1, U64 * U64, U64 * U64 + 1, (1 << 128) - 1]
    for x in edges + [magnitudes(rng, 128) for _ in range(count)]:
        case("isqrt", (x >> 64, x & U64), isqrt(x), isqrt(x))


def log2_cases(rng, count):
    edges = [1, 2, 3, Q32 - 1, Q32, Q32 + 1, 1 << 63, U64]
    for x in edges + [max(1, magnitudes(rng, 64)) for _ in range(count)]:
        power = x & (x - 1) == 0
        true = (x.bit_length() - 33) * Q32 if power else floor((log2(x) - 32) * Q32)
        case("log2", (x,), true if power else true - 1, true)


def exp2_cases(rng, count):
    edges = [0, -1, -Q32, -Q32 - 1, -32 * Q32, -32 * Q32 - 1, -33 * Q32, -(1 << 62), -(1 << 63)]
    for y in edges + [-magnitudes(rng, 38) for _ in range(count)]:
        if y < -40 * Q32:
            case("exp2", (y,), 0, 0)
            continue
        true = floor(Decimal(2) ** (Decimal(y) / Q32) * Q32) if y % Q32 else Q32 >> (-y // Q32)
        case("exp2", (y,), true if y % Q32 == 0 else max(0, true - 1), true)


def wilson(up, n):
    """Exact floor of the bound in ppm: the largest k with k/10^6 <= bound, by a root with 200 fraction bits."""
    z = Fraction(2326, 1000)
    inside = Fraction(up * (n - up), n) + z * z / 4
    scale = 1 << 200
    root = Fraction(isqrt(inside.numerator * scale * scale // inside.denominator), scale)  # true - 2^-199 < root <= true
    return int((up + z * z / 2 - z * root) / (n + z * z) * PPM) if up else 0


def wilson_cases(rng, count):
    edges = [(0, 0), (0, 1), (1, 1), (10, 10), (144, 144), (1000, 1000), (54000, 54000), (0, 1 << 29), (1 << 29, 1 << 29)]
    for _ in range(count):
        n = max(1, magnitudes(rng, 29))
        edges.append((n - min(n, magnitudes(rng, 20)), n))
        edges.append((rng.randint(0, n), n))
    for up, n in edges:
        true = wilson(up, n) if n else 0
        case("wilson", (up, n), max(0, true - 1), true)


def effective_n_cases(rng, count):
    for _ in range(count):
        n = max(1, magnitudes(rng, 29))
        down = rng.choice([0, n, rng.randint(0, n), min(n, magnitudes(rng, 10))])
        pairs = rng.choice([0, n - 1, rng.randint(0, n)])
        both = rng.randint(0, min(down, pairs))
        if n == 0 or pairs == 0 or down == 0 or down == n:
            true = n
        else:
            q = Fraction(down, n)
            r = (Fraction(both, pairs) - q * q) / (q * (1 - q))
            true = n if r <= 0 else 1 if r >= 1 else max(1, int(n * (1 - r) / (1 + r)))
        case("effective_n", (n - down, n, pairs, both), true, true)


def nearest(x):
    """Both neighbours when x is within 1e-5 of the middle between them: the C logarithms are good to 2^-31."""
    low = int((x - Decimal("1e-5")).to_integral_value(rounding=ROUND_HALF_UP))
    high = int((x + Decimal("1e-5")).to_integral_value(rounding=ROUND_HALF_UP))
    return max(0, min(PPM, low)), max(0, min(PPM, high))


def s_availability_cases(rng, count):
    for low in [0, 1, 900000, 990000, 999000, 999900, 999999, PPM] + [rng.randint(0, PPM) for _ in range(count)]:
        true = PPM if low == PPM else -(1 - Decimal(low) / PPM).log10() / 4 * PPM
        case("s_availability", (low,), *nearest(Decimal(true)))


def s_latency_cases(rng, count):
    edges = [(0, 1), (1, U64), (U64, 1), (100, 100), (200, 100), (800, 100), (799, 100), (801, 100)]
    for _ in range(count):
        target = max(1, magnitudes(rng, 34))
        edges.append((max(1, int(target * rng.uniform(0.5, 9))), target))
    for q95, target in edges:
        true = Decimal(0) if q95 == 0 else 1 - log2(Decimal(q95) / target) / 3
        case("s_latency", (q95, target), *nearest(true * PPM))


def composite_cases(rng, count):
    edges = [(0, 0), (0, PPM), (PPM, 0), (PPM, PPM), (1, 1), (PPM, 1), (1, PPM)]
    for a, l in edges + [(magnitudes(rng, 20) % (PPM + 1), magnitudes(rng, 20) % (PPM + 1)) for _ in range(count)]:
        if a == 0 or l == 0 or a == l == PPM:
            exact = PPM if a and l else 0
            case("composite", (a, l), exact, exact)
            continue
        true = ((log2(a) - log2(PPM)) * 8 / 11 + (log2(l) - log2(PPM)) * 3 / 11) * LN2
        value = true.exp() * PPM
        error = Decimal("0.002")  # 2^-31 of the logarithm and two units of Q32
        case("composite", (a, l), max(0, floor(value - error)), floor(value + error))


def s_performance_cases(rng, count):
    edges = [(1, 1, 1), (U64, 1, 1), (1, U64, U64), (U64, U64, U64), (3000, 1000, 9 * 10**9)]
    for _ in range(count):
        claimed, slowest = max(1, magnitudes(rng, 40)), max(1, magnitudes(rng, 40))
        edges.append((min(U64, int(claimed * slowest * rng.uniform(0, 1.5) / 10**9)), claimed, slowest))
    for arena, claimed, slowest in edges:
        true = min(PPM, int(Fraction(arena * 10**9, slowest) / claimed * PPM))
        case("s_performance", (arena, claimed, slowest), true, true)


P0 = Fraction(1, 1000)
GRID = [Fraction(k, 1000) for k in (2, 5, 20, 50, 200, 500, 900)]
SLOTS = 52560
M_MAX = 1 << 31


class EProcess:
    """E from its definition, exactly."""

    def __init__(self):
        self.mass = [Fraction(0)] * len(GRID)
        self.slots = 0

    def step(self, wrong):
        factors = [p1 / P0 if wrong else (1 - p1) / (1 - P0) for p1 in GRID]
        self.mass = [(m + Fraction(1, SLOTS)) * factor for m, factor in zip(self.mass, factors)]
        self.slots += 1

    def value(self):
        return sum(self.mass) / len(GRID) + 1 - Fraction(self.slots, SLOTS)


def eprocess_case(process, wrong, saturated):
    process.step(wrong)
    true = process.value()
    high = true.numerator * Q32 // true.denominator
    saturated = saturated or max(process.mass) >= M_MAX
    # at most 1/1000 low while no mass has saturated; a saturated process is only bounded from above
    low = 0 if saturated else high - high // 1000
    case("eprocess", (int(wrong),), low, min(high, (1 << 63) + Q32))
    return saturated


def eprocess_cases(rng, count):
    for history in range(128):  # every history of seven slots
        print("eprocess_new")
        process = EProcess()
        saturated = False
        for t in range(7):
            saturated = eprocess_case(process, history >> t & 1, saturated)
    for _ in range(max(1, count // 50)):
        print("eprocess_new")
        process = EProcess()
        saturated = False
        p = rng.choice([0, 0.001, 0.01, 0.1, 0.5, 1])
        for _ in range(120):
            saturated = eprocess_case(process, rng.random() < p, saturated)
            if saturated and rng.random() < 0.1:
                p = 0  # it falls again


def year_cases(rng):
    """A whole year, where exact fractions would have a million digits: bounded from both sides by integers of 400 bits."""
    print("eprocess_new")
    one = 1 << 400
    mass = [0] * len(GRID)
    for t in range(SLOTS):
        wrong = rng.random() < 0.002
        factors = [(k, 1) if wrong else (1000 - k, 999) for k in (2, 5, 20, 50, 200, 500, 900)]
        mass = [(m + one // SLOTS) * num // den for m, (num, den) in zip(mass, factors)]
        unspent = one * (SLOTS - t - 1) // SLOTS
        high = ((sum(mass) // len(GRID) + unspent) * Q32 >> 400) + 1  # + 1: the floors above, together far under a unit
        case("eprocess", (int(wrong),), high - high // 1000 - 1, high)


def main():
    rng = random.Random(int(sys.argv[1]))
    count = int(sys.argv[2])
    for cases in (isqrt_cases, log2_cases, exp2_cases, wilson_cases, effective_n_cases, s_availability_cases, s_latency_cases,
                  composite_cases, s_performance_cases, eprocess_cases):
        cases(rng, count)
    year_cases(rng)


main()
