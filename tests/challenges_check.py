#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The challenges a second time, written from docs/challenges.md and docs/protocol.md with nothing but Python's standard library.

Derives seeds, matrices, roots, picks, s, u, openings and folds of preset tiny, judges its own openings and spoilt ones, and compares all of it
with tests/vectors/challenges.json, which the C tests read too. `--write` makes that file: it comes from here, never from the C code.
Speaks TAP."""
import hashlib
import json
import os
import re
import struct
import sys

ROOT = os.environ.get("ASSIZE_SOURCE") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VECTORS = os.path.join(ROOT, "tests", "vectors", "challenges.json")
KINDS = {"sig": 1, "seq": 2, "gemm": 3, "mem": 4}
PRESET, N, K, M, T = 1, 64, 256, 64, 2  # tiny
P31, P61 = 2**31 - 1, 2**61 - 1
GROUP = 64


def H(*parts, key=b""):
    return hashlib.blake2b(b"".join(parts), digest_size=32, key=key).digest()


def be32(value):
    return struct.pack(">I", value)


def be64(value):
    return struct.pack(">Q", value)


# ChaCha20, the original one: 64-bit counter, 64-bit nonce of zeros.
def chacha20_block(key, counter):
    start = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key))
    start += [counter & 0xFFFFFFFF, counter >> 32, 0, 0]
    x = start[:]
    columns = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
    diagonals = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
    for _ in range(10):
        for a, b, c, d in columns + diagonals:
            for target, other, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[target] = (x[target] + x[other]) & 0xFFFFFFFF
                word = x[mixed] ^ x[target]
                x[mixed] = (word << turn | word >> (32 - turn)) & 0xFFFFFFFF
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, start)))


def stream(key, first, size):
    """Bytes first..first+size-1 of a key's stream."""
    blocks = b"".join(chacha20_block(key, i) for i in range(first // 64, (first + size + 63) // 64))
    return blocks[first % 64 :][:size]


def entries(key, first, count):
    return [(0 if byte == 255 else byte) - 127 for byte in stream(key, first, count)]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


# Trees.
def leaf(tag, a, b, c, content):
    return H(bytes((tag, 0, 0, 0)), be32(a), be32(b), be32(c), content)


def node(left, right):
    return H(b"\x01" + bytes(15), left, right)


def tree(leaves):
    """All levels, leaves first; the last one is the root alone."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node(below[i], below[i + 1]) for i in range(0, len(below), 2)])
    return levels


def path(levels, index):
    return b"".join(level[index >> i ^ 1] for i, level in enumerate(levels[:-1]))


def climb(digest, index, siblings):
    for i in range(0, len(siblings), 32):
        sibling = siblings[i : i + 32]
        digest = node(sibling, digest) if index & 1 else node(digest, sibling)
        index >>= 1
    return digest


def step_leaf(t, root):
    return leaf(2, t, T, M, root)


def a_key(beacon):
    return H(b"assize/1/gemm/a", beacon, bytes((PRESET,)))


def b_key(seed, t, previous_root):
    return H(b"assize/1/gemm/b", seed, be32(t), previous_root)


class Gemm:
    """A whole answer: every column, every tree."""

    def __init__(self, beacon, seed):
        self.seed, self.a = seed, [entries(a_key(beacon), i * K, K) for i in range(N)]
        self.columns, self.trees, previous = [], [], bytes(32)
        for t in range(T):
            key = b_key(seed, t, previous)
            self.columns.append([[dot(row, b) for row in self.a] for b in (entries(key, j * K, K) for j in range(M))])
            self.trees.append(tree([leaf(0, t, j, N, struct.pack("<%di" % N, *c)) for j, c in enumerate(self.columns[t])]))
            previous = self.trees[t][-1][0]
        self.roots = [levels[-1][0] for levels in self.trees]
        self.steps = tree([step_leaf(t, root) for t, root in enumerate(self.roots)])
        self.root = self.steps[-1][0]

    def opening(self, t, j):
        before = (self.roots[t - 1], path(self.steps, t - 1)) if t else (bytes(32), bytes(len(path(self.steps, 0))))
        column = struct.pack("<%di" % N, *self.columns[t][j])
        return b"".join((be32(t), be32(j), before[0], self.roots[t], column, path(self.trees[t], j), path(self.steps, t), before[1]))


class Fold:
    """A fold over the arena of a Gemm whose seed is of kind mem."""

    def __init__(self, build, seed):
        self.build, self.w = build, weights(seed)
        self.z = [[fold(self.w, column) for column in step] for step in build.columns]
        groups = [(t, g, z[GROUP * g : GROUP * (g + 1)]) for t, z in enumerate(self.z) for g in range(M // GROUP)]
        self.tree = tree([leaf(3, t, g, GROUP, struct.pack("<%dQ" % GROUP, *z)) for t, g, z in groups])
        self.z_root = self.tree[-1][0]

    def opening(self, t, j):
        g = j // GROUP
        z = struct.pack("<%dQ" % GROUP, *self.z[t][GROUP * g : GROUP * (g + 1)])
        return self.build.opening(t, j) + z + path(self.tree, t * (M // GROUP) + g)


def weights(fold_seed):
    return [word >> 4 for word in struct.unpack("<%dQ" % N, stream(fold_seed, 0, 8 * N))]


def fold(w, column):
    return dot(w, (c & 0xFFFF for c in column)) % P61


# Reveal.
def picks(rho, kind, provider_pk, device, root, count):
    key = H(b"assize/1/pick", bytes((kind, PRESET)), provider_pk, be32(device), root, key=rho)
    words = struct.unpack("<%dI" % (2 * count), stream(key, 0, 8 * count))
    return [(words[2 * o] % T, words[2 * o + 1] % M) for o in range(count)]


def slot_s(rho):
    key = H(b"assize/1/gemm/s", bytes((PRESET,)), key=rho)
    return [(word & 0x7FFFFFFF) % P31 for word in struct.unpack("<%dI" % N, stream(key, 0, 4 * N))]


def slot_u(s, a):
    return [dot(s, (row[k] for row in a)) % P31 for k in range(K)]


def judge(s, u, seed, root, pick, opening, fold_seed=None, z_root=None):
    """The reason, "none" for a pass."""
    t, j = pick
    column_at, path_at = 72, 72 + 4 * N
    step_at = path_at + 32 * (M.bit_length() - 1)
    link_at = step_at + 32 * (T.bit_length() - 1)
    z_at = link_at + 32 * (T.bit_length() - 1)
    z_path_at = z_at + 8 * GROUP
    end = z_at if fold_seed is None else z_path_at + 32 * ((T * M // GROUP).bit_length() - 1)
    if len(opening) != end:
        return "wrong_size"
    if opening[0:8] != be32(t) + be32(j):
        return "wrong_pick"
    previous, own, content = opening[8:40], opening[40:72], opening[column_at:path_at]
    if t == 0 and any(previous + opening[link_at:z_at]):
        return "nonzero_padding"
    column = struct.unpack("<%di" % N, content)
    if any(abs(c) > K * 127 * 127 for c in column):
        return "out_of_range"
    if (dot(s, column) - dot(u, entries(b_key(seed, t, previous), j * K, K))) % P31:
        return "wrong_product"
    if climb(leaf(0, t, j, N, content), j, opening[path_at:step_at]) != own:
        return "wrong_leaf_path"
    if climb(step_leaf(t, own), t, opening[step_at:link_at]) != root:
        return "wrong_step_path"
    if t and climb(step_leaf(t - 1, previous), t - 1, opening[link_at:z_at]) != root:
        return "wrong_link"
    if fold_seed is None:
        return "none"
    z = opening[z_at:z_path_at]
    if struct.unpack_from("<Q", z, 8 * (j % GROUP))[0] != fold(weights(fold_seed), column):
        return "wrong_fold"
    index = t * (M // GROUP) + j // GROUP
    if climb(leaf(3, t, j // GROUP, GROUP, z), index, opening[z_path_at:]) != z_root:
        return "wrong_fold_path"
    return "none"


# docs/protocol.md, derived values.
def nonce(secret, kind, slot, device, provider_pk):
    return H(b"assize/1/nonce", bytes((KINDS[kind],)), be64(slot), be32(device), provider_pk, key=secret)[:16]


def challenge_seed(kind, given, number):
    values = [bytes.fromhex(given[name]) for name in ("beacon", "validator_pk", "provider_pk")]
    return H(*values, be32(given["device"]), be64(given["slot"]), number, key=b"assize/1/" + kind.encode())


def signed_bytes(kind, param, given, seed, body):
    head = b"assize/1/answer\x00" + bytes((KINDS[kind], param)) + be32(given["epoch"]) + be64(given["slot"]) + be32(given["device"])
    return head + seed + H(body)


def seq_body(seed, log2_steps):
    x, body = seed, b""
    for i in range(1, 2**log2_steps + 1):
        x = hashlib.sha256(x).digest()
        if i % (2**log2_steps // 32) == 0:
            body += x
    return body


def spoilt(opening, at, bits):
    return opening[:at] + bytes((opening[at] ^ bits,)) + opening[at + 1 :]


def derive_challenges(given):
    secret, provider_pk = bytes.fromhex(given["secret"]), bytes.fromhex(given["provider_pk"])
    made = {"commitment": H(b"assize/1/commit", be32(given["epoch"]), secret).hex(), "kinds": {}}
    for kind in KINDS:
        number = nonce(secret, kind, given["slot"], given["device"], provider_pk)
        made["kinds"][kind] = {"nonce": number.hex(), "seed": challenge_seed(kind, given, number).hex()}
    for kind, param in (("sig", 0), ("seq", 7)):
        seed = bytes.fromhex(made["kinds"][kind]["seed"])
        body = seq_body(seed, param) if kind == "seq" else b""
        made["kinds"][kind].update(param=param, body_hash=H(body).hex(), signed=signed_bytes(kind, param, given, seed, body).hex())
    return made


def derive_gemm(given, seed, s, u):
    beacon, rho, provider_pk = (bytes.fromhex(given[name]) for name in ("beacon", "rho", "provider_pk"))
    gemm = Gemm(beacon, seed)
    picked = picks(rho, KINDS["gemm"], provider_pk, given["device"], gemm.root, 8)
    openings = [gemm.opening(t, j) for t, j in picked]
    late = next(i for i, (t, _) in enumerate(picked) if t == 1)  # both steps are among eight picks of these vectors
    early = next(i for i, (t, _) in enumerate(picked) if t == 0)
    wrong = []
    for index, at, bits in ((late, 7, 1), (late, 0, 128), (early, 8, 1), (early, 583, 1), (late, 72 + 4 * 5 + 3, 64), (late, 72, 1),
                            (late, 8, 1), (late, 72 + 4 * N, 1), (late, 40, 1), (late, 583 - 32, 1), (late, 583, 1)):
        reason = judge(s, u, seed, gemm.root, picked[index], spoilt(openings[index], at, bits))
        wrong.append({"opening": index, "at": at, "xor": bits, "reason": reason})
    assert all(judge(s, u, seed, gemm.root, pick, opening) == "none" for pick, opening in zip(picked, openings))
    assert all(case["reason"] != "none" for case in wrong)
    return {
        "a_key": a_key(beacon).hex(),
        "a_first": gemm.a[0][:32],
        "b_keys": [b_key(seed, t, gemm.roots[t - 1] if t else bytes(32)).hex() for t in range(T)],
        "b_first": entries(b_key(seed, 1, gemm.roots[0]), 63 * K, 32),
        "step_roots": [root.hex() for root in gemm.roots],
        "root": gemm.root.hex(),
        "picks": picked,
        "openings": [opening.hex() for opening in openings],
        "wrong": wrong,
    }


def derive_mem(given, seed, s, u):
    beacon, rho, provider_pk, fold_seed = (bytes.fromhex(given[name]) for name in ("beacon", "rho", "provider_pk", "fold_seed"))
    build = Gemm(beacon, seed)
    folded = Fold(build, fold_seed)
    picked = picks(rho, KINDS["mem"], provider_pk, given["device"], folded.z_root, 4)
    openings = [folded.opening(t, j) for t, j in picked]
    wrong = []
    for at, bits in ((72, 2), (584 + 8 * picked[0][1], 1), (584 + 8 * (picked[0][1] ^ 1), 1), (1127, 1)):
        reason = judge(s, u, seed, build.root, picked[0], spoilt(openings[0], at, bits), fold_seed, folded.z_root)
        wrong.append({"opening": 0, "at": at, "xor": bits, "reason": reason})
    assert all(judge(s, u, seed, build.root, p, o, fold_seed, folded.z_root) == "none" for p, o in zip(picked, openings))
    assert all(case["reason"] != "none" for case in wrong)
    return {
        "root": build.root.hex(),
        "weights_first": [str(w) for w in folded.w[:4]],
        "z_first": [str(z) for z in folded.z[0][:4]],
        "z_root": folded.z_root.hex(),
        "picks": picked,
        "openings": [opening.hex() for opening in openings],
        "wrong": wrong,
    }


def derive():
    given = {
        "beacon": H(b"vectors: beacon").hex(),
        "secret": H(b"vectors: secret").hex(),
        "rho": H(b"vectors: rho").hex(),
        "validator_pk": H(b"vectors: validator").hex(),
        "provider_pk": H(b"vectors: provider").hex(),
        "fold_seed": H(b"vectors: fold").hex(),
        "epoch": 1234,
        "slot": 5600000321,
        "device": 7,
    }
    made = {"given": given, "challenges": derive_challenges(given)}
    s = slot_s(bytes.fromhex(given["rho"]))
    u = slot_u(s, [entries(a_key(bytes.fromhex(given["beacon"])), i * K, K) for i in range(N)])
    made["slot"] = {"s_first": s[:8], "u_first": u[:8], "u_hash": H(struct.pack("<%dI" % K, *u)).hex()}
    for kind, function in (("gemm", derive_gemm), ("mem", derive_mem)):
        made[kind] = function(given, bytes.fromhex(made["challenges"]["kinds"][kind]["seed"]), s, u)
    return json.loads(json.dumps(made))


def chacha20_is_rfc_8439():
    """Appendix A.1, vectors 1 and 2: key and nonce zero, blocks 0 and 1."""
    return stream(bytes(32), 0, 8).hex() == "76b8e0ada0f13d90" and stream(bytes(32), 64, 8).hex() == "9f07e7be5551387a"


def every_reason_is_there(made):
    expected = {"wrong_pick", "nonzero_padding", "out_of_range", "wrong_product", "wrong_leaf_path", "wrong_step_path", "wrong_link",
                "wrong_fold", "wrong_fold_path"}
    return expected - {case["reason"] for kind in ("gemm", "mem") for case in made[kind]["wrong"]}


def presets_of_the_page():
    """Rows of the table in docs/challenges.md: name: {value, n, K, m, T, arena, opening, fold}."""
    with open(os.path.join(ROOT, "docs", "challenges.md"), encoding="utf-8") as file:
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in file if re.match(r"\| `[a-z0-9-]+` \| \d+ \|", line)]
    number = lambda cell: int(cell.replace(",", "").replace(" bytes", ""))
    units = {"KiB": 10, "MiB": 20, "GiB": 30}
    size = lambda cell: int(cell.split()[0]) << units[cell.split()[1]]
    return {row[0].strip("`"): [number(cell) for cell in row[1:6]] + [size(row[8]), number(row[9]), number(row[10])] for row in rows}


def wrong_presets():
    """Names of presets whose sizes do not follow from their shape, or are not what dataplane/base/challenge.h has."""
    with open(os.path.join(ROOT, "dataplane", "base", "challenge.h"), encoding="utf-8") as file:
        listed = {name: [int(x) for x in (value + "," + sizes).split(",")]
                  for value, name, sizes in re.findall(r'X\(\w+, (\d+), "([a-z0-9-]+)", (\d+, \d+, \d+, \d+)\)', file.read())}
    wrong = set()
    page = presets_of_the_page()
    for name, (value, n, k, m, t, arena, opening, fold_opening) in page.items():
        log2_m, log2_t = m.bit_length() - 1, t.bit_length() - 1
        expected = 72 + 4 * n + 32 * (log2_m + 2 * log2_t)
        with_fold = expected + 8 * GROUP + 32 * (log2_m + log2_t - 6)
        if listed.get(name) != [value, n, k, m, t] or (arena, opening, fold_opening) != (2 * n * m * t, expected, with_fold):
            wrong.add(name)
    return wrong | (set(listed) ^ set(page))


def main():
    made = derive()
    if sys.argv[1:] == ["--write"]:
        with open(VECTORS, "w", encoding="utf-8") as file:
            file.write(json.dumps(made, indent=1) + "\n")
    with open(VECTORS, encoding="utf-8") as file:
        stored = json.load(file)
    checks = [("chacha20_has_the_blocks_of_rfc_8439", chacha20_is_rfc_8439(), "")]
    checks += [("%s_is_what_the_pages_say" % part, stored.get(part) == made[part], "") for part in made]
    missing = every_reason_is_there(made)
    checks.append(("every_reason_has_a_vector", not missing, ", ".join(sorted(missing))))
    wrong = wrong_presets()
    checks.append(("every_preset_has_the_sizes_of_its_row", not wrong, ", ".join(sorted(wrong))))
    print("TAP version 13\n1..%d" % len(checks))
    for number, (name, holds, problem) in enumerate(checks, 1):
        print("%sok %d - challenges::%s" % ("" if holds else "not ", number, name))
        if problem:
            print("# " + problem)
    return 0 if all(holds for _, holds, _ in checks) else 1


sys.exit(main())
