#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scores a second time, whole: from the measures of a history of epochs to every number that is published, the record and the state,
written from docs/scoring.md with nothing but Python's integers. The results are not close to those of the C code, they are the same.

    score_reference.py SEED HISTORIES     histories drawn from the seed, ordinary and hostile ones, as JSON
    score_reference.py --write            tests/vectors/scoring.json, for any implementation: made here, never by the C code

One history: {params, provider, epochs: [{measures, score, record}], state}. tests/control/score/test_history.c computes each again.
How far these definitions are from the true logarithms and roots is reference.py's question."""
import json
import os
import random
import struct
import sys
from math import isqrt

ROOT = os.environ.get("ASSIZE_SOURCE") or os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 3))
VECTORS = os.path.join(ROOT, "tests", "vectors", "scoring.json")
PPM, ONE, DAY_NS, DAYS = 10**6, 1 << 32, 86400 * 10**9, 30
UINT16, UINT32 = 2**16 - 1, 2**32 - 1
BINDINGS = ("none", "correctness", "availability", "latency", "no data")


# Fixed point ("Exactly" in docs/scoring.md).
def log2(x):
    """Of x / 2^32, in Q32."""
    exponent = x.bit_length() - 33
    mantissa = x << 63 >> (x.bit_length() - 1)
    for _ in range(32):
        square = mantissa * mantissa
        bit = square >> 127
        mantissa = square >> (63 + bit)
        exponent = 2 * exponent + bit
    return exponent


ROOTS = []  # floor(2^(2^-k) 2^63): roots of roots, from 2 with far more bits than are kept
two = 2 << 400
for _ in range(32):
    two = isqrt(two << 400)
    ROOTS.append(two >> 337)


def exp2(y):
    """2^(y / 2^32) in Q32, y <= 0."""
    whole, fraction = y >> 32, y & UINT32
    if whole < -32:
        return 0
    power = 1 << 63
    for k, root in enumerate(ROOTS):
        if fraction >> (31 - k) & 1:
            power = power * root >> 63
    return power >> (31 - whole)


def nearest(part, whole):
    return PPM if part >= whole else (part * PPM + whole // 2) // whole


def ratio(part, whole):
    return part * PPM // whole


# Latency: the sketch.
def sketch_bounds():
    bounds, bound = [], 1000 << 64
    for _ in range(768):
        bounds.append(bound)
        bound = bound * 101 // 99
    return bounds


BOUNDS = sketch_bounds()


def sketch_bin(value):
    low, high = 0, 767
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if value <= BOUNDS[middle] >> 64 else (middle + 1, high)
    return low


def quantiles(rtts, cells):
    """q50, q95, q99 of [(value, count)]."""
    bins = [(sketch_bin(value), count) for value, count in rtts if count]
    if not bins:
        return 0, 0, 0
    level = 0
    while (max(bins)[0] >> level) - (min(bins)[0] >> level) >= cells:
        level += 1
    places = {}
    for number, count in bins:
        places[number >> level] = places.get(number >> level, 0) + count
    total, found = sum(places.values()), []
    for q in (500000, 950000, 990000):
        rank, seen = q * (total - 1) // PPM, 0
        for place in sorted(places):
            seen += places[place]
            if seen > rank:
                break
        first, last = place << level, min((place << level) + (1 << level) - 1, 767)
        low = (BOUNDS[0] >> 40) * 99 // 101 if first == 0 else BOUNDS[first - 1] >> 40
        high = BOUNDS[last] >> 40
        found.append((2 * low * high // (low + high) + (1 << 23)) >> 24)
    return tuple(found)


def bound_code(ns):
    """The smallest of (4 + c mod 4) 2^(c div 4) / 4, not rounded, that is at least ns; the last one for all that is longer."""
    return next((c for c in range(4, 128) if (4 + c % 4) << c // 4 >= 4 * ns), 127) if ns > 1 else 1


def bound_ns(code):
    return (4 + code % 4 << code // 4) >> 2 if code else 0


# Availability.
def effective_n(up, n, pairs, both):
    down = n - up
    if 0 in (n, pairs, down, up):
        return n
    a, b = both * n * n - down * down * pairs, down * up * pairs
    if a <= 0:
        return n
    return 1 if a >= b else max(1, (b - a) * n // (b + a))


def wilson(up, n):
    if n == 0:
        return 0
    z2 = 2326**2
    square = (up * (n - up) * 4000000 << 40) // n + 1 + (z2 << 40)
    root = isqrt(square)
    root += root * root < square
    above = (2000000 * up + z2 << 20) - 2326 * root
    return 0 if above <= 0 else above * PPM // (2000000 * n + 2 * z2 << 20)


def window_low(up, judged, pairs, both):
    n = effective_n(up, judged, pairs, both)
    return wilson(up * n // judged, n) if n else 0


def missing(up, judged, pairs, both):
    low = window_low(up, judged, pairs, both)
    goal = next((nine for nine in (900000, 990000, 999000, 999900) if low < nine), None)
    if goal is None:
        return 0

    def enough(more):
        return window_low(up + more, judged + more, pairs + more, both) >= goal

    high = 1
    while high < 1 << 26 and not enough(high):
        high *= 2
    if not enough(high):
        return UINT32
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


# Components, composite, tier.
def s_availability(low):
    return PPM if low >= PPM else nearest(log2(PPM) - log2(PPM - low), 4 * log2(10 * ONE))


def s_latency(q95, target):
    if q95 == 0:
        return 0
    octaves = log2(q95) - log2(target)
    return PPM if octaves <= 0 else PPM - nearest(octaves, 3 * ONE)


def composite(availability, latency):
    if 0 in (availability, latency):
        return 0
    total = 8 * (log2(availability) - log2(PPM)) + 3 * (log2(latency) - log2(PPM))
    return exp2(total // 11) * PPM >> 32


RUNGS = ((990000, 540000), (980000, 480000), (970000, 440000), (950000, 390000), (900000, 320000), (850000, 280000), (750000, 220000))


def tier(composite_ppm, uptime_ppm):
    return next((n for n, rung in enumerate(RUNGS, 1) if uptime_ppm >= rung[0] and composite_ppm >= rung[1]), 0)


def burn(down, judged, target):
    if not down:
        return 0
    return min(UINT32, down * 1000 * PPM // (judged * (PPM - target))) if target < PPM else UINT32


def account(window, day, epoch, target):
    """Of (up, judged) of thirty days, of the day and of the epoch."""
    up, judged = window
    month, today, now = (burn(judged - up, judged, target) for up, judged in (window, day, epoch))
    return {
        "target_ppm": target,
        "down_slots": judged - up,
        "budget_slots": judged * (PPM - target) // PPM,
        "burn_month_milli": month,
        "burn_day_milli": today,
        "burn_epoch_milli": now,
        "credit_ppm": next((credit for below, credit in ((950000, PPM), (990000, 300000), (999900, 100000)) if up * PPM < judged * below), 0),
    }


class EProcess:
    GRID, SLOTS, THRESHOLD = (2, 5, 20, 50, 200, 500, 900), 52560, 10**6

    def __init__(self):
        self.new_year()

    def new_year(self):
        self.mass, self.slots, self.wrong, self.fired = [0] * 7, 0, 0, False

    def step(self, wrong):
        if self.slots == self.SLOTS:
            self.new_year()
        start = ONE // self.SLOTS
        grown = [(m + start) * k if wrong else (m + start) * (1000 - k) // 999 for m, k in zip(self.mass, self.GRID)]
        self.mass = [min(m, 1 << 63) for m in grown]
        self.slots += 1
        self.wrong += wrong
        self.fired |= self.value() >= self.THRESHOLD * ONE

    def value(self):
        return sum(self.mass) // 7 + (self.SLOTS - self.slots) * ONE // self.SLOTS

    def save(self):
        return struct.pack(">7QIBBH", *self.mass, self.slots, self.fired, self.wrong >> 16, self.wrong & UINT16)


class Provider:
    """What is known of a provider between epochs."""

    def __init__(self, params):
        self.params = params
        self.days = [[0] * 5 for _ in range(DAYS)]  # day, up, judged, pairs, both down
        self.alpha = self.beta = ONE
        self.eprocess, self.pace = EProcess(), EProcess()
        self.slots, self.first_ns, self.last_slot = 0, 0, 2

    def save(self):
        days = b"".join(struct.pack(">5I", *day) for day in self.days)
        fields = struct.pack(">2Q", self.alpha, self.beta) + self.eprocess.save() + struct.pack(">2Q", self.slots, self.first_ns)
        return bytes([2, self.last_slot, 0, 0, 0, 0, 0, 0]) + days + fields + self.pace.save()

    def count_slots(self, judged, up, end_ns):
        if not judged:
            return
        if self.slots == 0:
            self.first_ns = end_ns
        self.slots += bin(judged).count("1")
        down = judged & ~up
        pairs, both = bin(judged & judged >> 1).count("1"), bin(down & down >> 1).count("1")
        if judged & 1 and self.last_slot != 2:
            pairs += 1
            both += self.last_slot == 1 and down & 1
        day = end_ns // DAY_NS & UINT32
        bucket = self.days[day % DAYS]
        if bucket[0] != day:
            bucket[:] = [day, 0, 0, 0, 0]
        if bucket[2] <= (1 << 24) - 64:
            for field, more in enumerate((bin(judged & up).count("1"), bin(judged).count("1"), pairs, both), 1):
                bucket[field] += more
        self.last_slot = down >> judged.bit_length() - 1 & 1

    def count_answers(self, right, wrong):
        for n, is_right in ((right, True), (wrong, False)):
            for _ in range(min(n, UINT16)):
                self.alpha = self.alpha * 999 // 1000 + (ONE if is_right else 0)
                self.beta = self.beta * 999 // 1000 + (0 if is_right else ONE)

    def window(self, end_ns):
        day = end_ns // DAY_NS & UINT32
        inside = [bucket for bucket in self.days if 0 <= day - bucket[0] < DAYS]
        return tuple(sum(bucket[field] for bucket in inside) for field in range(1, 5))

    def confidence(self, end_ns):
        age = end_ns - self.first_ns if self.slots and end_ns > self.first_ns else 0
        due = self.params["vetting_days"] * DAY_NS
        by_days = ratio(age, due) if age < due else PPM
        slots_due = self.params["vetting_slots"]
        return min(by_days, ratio(self.slots, slots_due) if self.slots < slots_due else PPM)

    def epoch(self, measures, target_ns):
        """Every number of the epoch's score, from all that was measured."""
        m = measures
        for wrong, count in m["correctness_slots"]:
            for _ in range(count):
                if not self.eprocess.fired:
                    self.eprocess.step(wrong)
        for slow, count in m["pace_slots"]:
            for _ in range(count):
                self.pace.step(slow)
        return self.score(m, quantiles(m["rtts_ns"], m["sketch_cells"]) if m["answered"] else (0, 0, 0), target_ns)

    def score(self, m, times, target_ns):
        """The same once the e-processes have taken their steps; times: q50, q95, q99."""
        end_ns, judged, up = m["end_ns"], int(m["slots_judged"], 16), int(m["slots_up"], 16)
        self.count_slots(judged, up, end_ns)
        self.count_answers(m["answers_pass"], m["answers_fail"] + m["answers_malformed"])
        slots = bin(judged).count("1")
        q50, q95, q99 = times
        window, day = self.window(end_ns), self.days[end_ns // DAY_NS % DAYS]
        today = day[1:3] if day[0] == end_ns // DAY_NS else (0, 0)
        s = {
            "slots_judged": slots,
            "uptime_ppm": ratio(bin(judged & up).count("1"), slots) if slots else PPM,
            "loss_ppm": PPM - ratio(min(m["answered"], m["sent"]), m["sent"]) if m["sent"] else 0,
            "rtt_q50_ns": q50,
            "rtt_q95_ns": q95,
            "rtt_q99_ns": q99,
            "rtt_error_ns": bound_ns(bound_code(m["rtt_error_ns"])) if m["answered"] and m["rtt_error_ns"] else 0,
            "window_slots": window[1],
            "window_uptime_ppm": ratio(window[0], window[1]) if window[1] else PPM,
            "availability_low_ppm": window_low(*window),
            "slots_missing": missing(*window),
            "sla": account(window[:2], today, (bin(judged & up).count("1"), slots), self.params["sla_uptime_ppm"]),
            "s_latency_ppm": s_latency(q95, target_ns or self.params["rtt_target_ns"]),
            "s_correctness_ppm": ratio(self.alpha, self.alpha + self.beta),
            "e_value_q32": self.eprocess.value(),
            "gate_open": not self.eprocess.fired,
            "confidence_ppm": self.confidence(end_ns),
        }
        s["s_availability_ppm"] = s_availability(s["availability_low_ppm"])
        s["composite_ppm"], s["binding"] = self.compose(s)
        vetted = s["gate_open"] and s["confidence_ppm"] == PPM
        s["tier"] = tier(s["composite_ppm"], s["window_uptime_ppm"]) if vetted else 0
        return s

    @staticmethod
    def compose(s):
        if not s["gate_open"]:
            return 0, "correctness"
        if s["slots_judged"] == 0:
            return 0, "no data"
        if s["rtt_q95_ns"] == 0:
            return 0, "availability"
        worst = min(s["s_availability_ppm"], s["s_latency_ppm"])
        word = "none" if worst == PPM else "availability" if worst == s["s_availability_ppm"] else "latency"
        return composite(s["s_availability_ppm"], s["s_latency_ppm"]), word


def record(who, m, s):
    judged, up = int(m["slots_judged"], 16), int(m["slots_up"], 16)
    flags = s["gate_open"] | (bound_code(s["rtt_error_ns"]) if s["rtt_error_ns"] else 0) << 1
    head = struct.pack(">4BIQ", 1, s["tier"], BINDINGS.index(s["binding"]), flags, who["device"], who["row"]) + bytes.fromhex(who["key"])
    counts = [min(m[name], UINT16) for name in ("sent", "answered", "late", "unjudged")]
    times = [min(value, UINT32) for value in (s["rtt_q50_ns"], s["rtt_q95_ns"], s["e_value_q32"] >> 32)]
    answers = [min(m[name], UINT16) for name in ("answers_pass", "answers_fail")]
    return head + struct.pack(">4H2Q3I2H2I", *counts, judged, judged & up, *times, *answers, s["availability_low_ppm"], s["composite_ppm"])


def scored(history):
    """The history with all that follows from it."""
    provider = Provider(history["params"])
    for epoch in history["epochs"]:
        epoch["score"] = provider.epoch(epoch["measures"], history["provider"]["rtt_target_ns"])
        epoch["record"] = record(history["provider"], epoch["measures"], epoch["score"]).hex()
    history["state"] = provider.save().hex()
    return history


# Histories.
EPOCH_NS = 3600 * 10**9
START_NS = 20780 * DAY_NS


def magnitude(rng, bits):
    return rng.getrandbits(rng.randint(1, bits))


def measures(rng, end_ns, hostile):
    judged = rng.choice([0, (1 << 60) - 1, (1 << 60) - 1, rng.getrandbits(64)]) if hostile else (1 << 60) - 1
    outage = rng.getrandbits(64) if hostile else ((1 << rng.randint(1, 20)) - 1) << rng.randint(0, 50) if rng.random() < 0.2 else 0
    base = max(1, magnitude(rng, 33 if hostile else 26))
    rtts = [[base + rng.randrange(base), rng.randint(1, 40)] for _ in range(rng.randint(0 if hostile else 1, 12))]
    counts = {name: magnitude(rng, 17) if hostile else rng.randint(0, 3) for name in ("late", "unjudged")}
    many = hostile and rng.random() < 0.05
    return {
        "end_ns": end_ns,
        "correctness_slots": [[int(rng.random() < (0.3 if hostile else 0.01)), 1] for _ in range(6)],
        "pace_slots": [[int(rng.random() < (0.4 if hostile else 0.02)), rng.randint(0, 3)] for _ in range(3)],
        "sent": magnitude(rng, 18) if hostile else 3600,
        "answered": sum(count for _, count in rtts) if rtts else magnitude(rng, 4) if hostile else 0,
        "slots_judged": "%016x" % judged,
        "slots_up": "%016x" % (~outage & (1 << 64) - 1),
        "sketch_cells": rng.choice([32, 64, 256, 1024]),
        "rtts_ns": rtts,
        "rtt_error_ns": magnitude(rng, 34),
        "answers_pass": magnitude(rng, 18) if many else rng.randint(0, 12),
        "answers_fail": magnitude(rng, 17) if many else rng.randint(0, 2) if hostile else 0,
        "answers_malformed": rng.randint(0, 2) if hostile else 0,
        **counts,
    }


def draw_history(rng, name, epochs):
    hostile = rng.random() < 0.5
    end_ns, list_of = START_NS + rng.randrange(DAY_NS), []
    for _ in range(epochs):
        list_of.append({"measures": measures(rng, end_ns, hostile)})
        gap = rng.choice([1, 1, 1, 24, 24 * 31, -50]) if hostile else rng.choice([1, 1, 1, 1, 25])
        end_ns = max(0, end_ns + gap * EPOCH_NS)
    if hostile and rng.random() < 0.2:  # to the end of a year of the e-process, and over it
        last = list_of[-1]["measures"]
        last["correctness_slots"] = last["pace_slots"] = [[0, 52550], [1, rng.randint(0, 3)], [0, 20]]
    return {
        "name": name,
        "params": {
            "rtt_target_ns": 10**6 * rng.randint(1, 300),
            "vetting_days": rng.choice([0, 1, 21]),
            "vetting_slots": rng.choice([0, 100, 5000]),
            "sla_uptime_ppm": rng.choice([999900, 995000, 500000, PPM]),
        },
        "provider": {
            "row": rng.randint(1, 2**40),
            "device": rng.randint(0, UINT32),
            "key": "%064x" % rng.getrandbits(256),
            "rtt_target_ns": rng.choice([0, max(1, magnitude(rng, 34))]),
        },
        "epochs": list_of,
    }


def histories(seed, count, epochs=30):
    rng = random.Random(seed)
    return [scored(draw_history(rng, "drawn %d of seed %d" % (n, seed), epochs)) for n in range(count)]


def steady(epoch, up=(1 << 64) - 1, wrong=0, slow=0, q_ns=20 * 10**6):
    return {
        "measures": {
            "end_ns": START_NS + epoch * EPOCH_NS,
            "correctness_slots": [[0, 6 - wrong], [1, wrong]],
            "pace_slots": [[0, 6 - slow], [1, slow]],
            "sent": 3600, "answered": 3590, "late": 3, "unjudged": 1,
            "slots_judged": "0fffffffffffffff", "slots_up": "%016x" % up,
            "sketch_cells": 256, "rtts_ns": [[q_ns, 2000], [q_ns + q_ns // 7, 1500], [9 * q_ns, 90]], "rtt_error_ns": 1200,
            "answers_pass": 6 - wrong, "answers_fail": wrong, "answers_malformed": 0,
        }
    }


def vectors():
    """A few that tell a story, then some of the hostile ones."""
    params = {"rtt_target_ns": 100 * 10**6, "vetting_days": 21, "vetting_slots": 5000, "sla_uptime_ppm": 999900}
    who = {"row": 7, "device": 0, "key": "%064x" % (2**255 + 12345), "rtt_target_ns": 0}
    told = [
        ("thirty hours without a failure", [steady(n) for n in range(30)]),
        ("an outage of an hour and a half", [steady(n, up=0 if n == 3 else (1 << 64) - (1 << 30) if n == 4 else (1 << 64) - 1) for n in range(8)]),
        ("four wrong answers in a row: quarantine", [steady(n, wrong=4 * (n == 2)) for n in range(5)]),
        ("folds too slow for the memory that is claimed, and right again", [steady(n, slow=3 * (n < 2)) for n in range(4)]),
        ("vetted after 21 days, and slow", [steady(24 * n, q_ns=180 * 10**6) for n in range(23)]),
        ("a month of silence empties the window", [steady(0), steady(1), steady(24 * 40)]),
    ]
    list_of = [scored({"name": name, "params": params, "provider": who, "epochs": epochs}) for name, epochs in told]
    return list_of + histories(20261126, 8, 6)


def text():
    return "[\n" + ",\n".join(json.dumps(history) for history in vectors()) + "\n]\n"


def main():
    if sys.argv[1:] == ["--write"]:
        with open(VECTORS, "w", encoding="utf-8") as file:
            file.write(text())
    elif sys.argv[1:] == ["--check"]:
        with open(VECTORS, encoding="utf-8") as file:
            sys.exit(0 if file.read() == text() else "tests/vectors/scoring.json is not what score_reference.py --write makes")
    elif len(sys.argv) == 3:
        json.dump(histories(int(sys.argv[1]), int(sys.argv[2])), sys.stdout)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
