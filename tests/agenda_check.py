#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agenda of a correctness slot a second time, written from docs/protocol.md ("When, and with whom") with nothing but Python's standard library: from a revealed
secret, the registrations and the published latencies to who was asked together with whom, and when. Compared with tests/vectors/agenda.json, which
tests/control/test_agenda.c reads too. `--write` makes that file: it comes from here, never from the C code. Speaks TAP."""
import hashlib
import json
import os
import struct
import sys

ROOT = os.environ.get("ASSIZE_SOURCE") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VECTORS = os.path.join(ROOT, "tests", "vectors", "agenda.json")
CRITERIA = ("prefix", "operator", "as", "rtt")
PAIR, GROUP_MAX, RTT_BINS, SKETCH_BINS = 2, 64, 8, 768
MASK = (1 << 64) - 1


def siphash_128(key, data):
    """SipHash-2-4 with 128 bits of output (Aumasson and Bernstein), as two little-endian numbers."""
    k0, k1 = struct.unpack("<2Q", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(value, by):
        return (value << by | value >> (64 - by)) & MASK

    def half(a, b, c, d, left, right):
        v[a] = (v[a] + v[b]) & MASK
        v[b] = turn(v[b], left) ^ v[a]
        v[c] = (v[c] + v[d]) & MASK
        v[d] = turn(v[d], right) ^ v[c]
        v[a] = turn(v[a], 32)

    def rounds(count):
        for _ in range(count):
            half(0, 1, 2, 3, 13, 16)
            half(2, 1, 0, 3, 17, 21)

    whole = len(data) - len(data) % 8
    words = [struct.unpack("<Q", data[i : i + 8])[0] for i in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xEE
    rounds(4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return first, v[0] ^ v[1] ^ v[2] ^ v[3]


def siphash_is_the_authors():
    """Their vector of 15 bytes 0..14 under the key 0..15."""
    first, second = siphash_128(bytes(range(16)), bytes(range(15)))
    return struct.pack("<2Q", first, second).hex() == "5493e99933b0a8117e08ec0f97cfc3d9"


def sketch_bounds():
    bound, bounds = 1000 << 64, []
    for _ in range(SKETCH_BINS):
        bounds.append(bound >> 64)
        bound = bound * 101 // 99
    return bounds


BOUNDS = sketch_bounds()


def sketch_bin(value_ns):
    return next((i for i, bound in enumerate(BOUNDS) if value_ns <= bound), SKETCH_BINS - 1)


def agenda(secret, kind, slot, window_ms, members):
    """The criterion, and [due in ms, indices of those asked then together] a group."""
    key = hashlib.blake2b(b"assize/1/agenda" + bytes([kind]) + struct.pack(">Q", slot), key=secret, digest_size=32).digest()
    criterion = CRITERIA[key[16] % len(CRITERIA)]

    def cluster_of(member):
        if criterion != "rtt" or member["rtt"] == 0:
            return member[criterion]
        return 1 + (sketch_bin(member["rtt"]) + key[17] % RTT_BINS) // RTT_BINS

    marks = []
    for index, member in enumerate(members):
        rank, when = siphash_128(key[:16], bytes.fromhex(member["key"]) + struct.pack(">I", member["device"]))
        marks.append((cluster_of(member), rank, when, index))
    by_cluster = {}
    for mark in sorted(marks):
        by_cluster.setdefault(mark[0], []).append(mark)
    loners = by_cluster.pop(0, []) + [own.pop() for own in by_cluster.values() if len(own) == 1]
    groups = []
    for belong, most in [(sorted(loners, key=lambda mark: mark[1]), PAIR)] + [(own, GROUP_MAX) for own in by_cluster.values() if own]:
        while belong:
            size = len(belong) if len(belong) <= most + 1 else most
            due_ms = belong[0][2] * window_ms >> 64
            groups.append([due_ms, sorted(mark[3] for mark in belong[:size])])
            belong = belong[size:]
    return criterion, sorted(groups)


def given():
    """Members who share some things with some others: networks of 3, operators of 70, an AS of 2, latencies of 20 to 60 ms."""
    members = []
    for i in range(150):
        members.append({"key": hashlib.blake2b(b"agenda %d" % i, digest_size=32).hexdigest(), "device": i % 3, "prefix": i // 3 % 20, "operator": i % 2 if i < 140 else 0,
                        "as": 64500 + i // 2 if i % 5 else 0, "rtt": 0 if i % 7 == 0 else 20000000 + i * 271828})
    return {"secret": hashlib.blake2b(b"agenda", digest_size=32).hexdigest(), "kind": 3, "window_ms": 300000, "members": members}


def derive():
    made = {"given": given(), "slots": []}
    of = made["given"]
    slot, seen = 5600000000, set()
    while len(seen) < len(CRITERIA):
        criterion, groups = agenda(bytes.fromhex(of["secret"]), of["kind"], slot, of["window_ms"], of["members"])
        if criterion not in seen:
            made["slots"].append({"slot": slot, "criterion": criterion, "groups": groups})
            seen.add(criterion)
        slot += 1
    return made


def text_of(made):
    """A member, and a group, a line."""
    return json.dumps(made).replace(' {"key"', '\n{"key"').replace(", [", ",\n[").replace(' {"slot"', '\n{"slot"') + "\n"


def main():
    made = derive()
    if sys.argv[1:] == ["--write"]:
        with open(VECTORS, "w", encoding="utf-8") as file:
            file.write(text_of(made))
    with open(VECTORS, encoding="utf-8") as file:
        stored = json.load(file)
    sizes = {len(indices) for slot in made["slots"] for _, indices in slot["groups"]}
    checks = [("siphash_has_the_vector_of_its_authors", siphash_is_the_authors()),
              ("the_agenda_is_what_the_page_says", stored == made),
              ("pairs_groups_and_a_full_group_are_among_them", {2, GROUP_MAX} <= sizes and len(sizes) > 3)]
    print("TAP version 13\n1..%d" % len(checks))
    for number, (name, holds) in enumerate(checks, 1):
        print("%sok %d - agenda_check::%s" % ("" if holds else "not ", number, name))
    return 0 if all(holds for _, holds in checks) else 1


sys.exit(main())
