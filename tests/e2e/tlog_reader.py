#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent reader of a transparency log: usage: tlog_reader.py DIR [VERIFIER-KEY]

Written from the texts alone (C2SP signed-note, tlog-checkpoint and tlog-tiles; RFC 6962 section 2.1; RFC 8032) and sharing nothing
with the C code, so that a mistake would have to be made twice to go unnoticed. Python's standard library has no Ed25519; the
verification below is that of RFC 8032 section 5.1.7 in plain integers: slow, not constant-time, and fine for a public signature.

Exit: 0 the log is what its checkpoint says (and, with a key, is signed by it), 1 it is not, 2 bad usage.
"""
import base64
import hashlib
import os
import sys


class Refused(Exception):
    pass


def require(condition, message):
    if not condition:
        raise Refused(message)


# RFC 8032: edwards25519. A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def point_add(a, b):
    r, s = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = s - r, z - t, z + t, s + r
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_multiply(scalar, point):
    result = IDENTITY
    for bit in bin(scalar)[2:]:
        result = point_add(result, result)
        if bit == "1":
            result = point_add(result, point)
    return result


def point_equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_decode(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    require(y < P, "Ed25519: a coordinate out of range")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_1 % P
    require((x * x - square) % P == 0 and not (x == 0 and sign), "Ed25519: not a point of the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verify(public_key, message, signature):
    scalar = int.from_bytes(signature[32:], "little")
    require(len(signature) == 64 and scalar < ORDER, "Ed25519: malformed signature")
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    right = point_add(point_decode(signature[:32]), point_multiply(hashed, point_decode(public_key)))
    require(point_equal(point_multiply(scalar, BASE), right), "Ed25519: the signature does not verify")


# RFC 6962 section 2.1.
def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def tree_hash(leaves):
    """The Merkle tree hash over leaf hashes, or over the roots of complete subtrees of one size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


# signed-note and tlog-checkpoint.
def decode_base64(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data) == text.encode(), "base64 is not canonical")
    return data


def read_checkpoint(note, verifier_key):
    text, separator, signatures = note.decode("utf-8").rpartition("\n\n")
    require(separator and signatures.endswith("\n"), "checkpoint: not a signed note")
    text += "\n"
    lines = text.split("\n")
    require(len(lines) >= 4 and all(lines[:-1]), "checkpoint: expected origin, size and root")
    origin, size, root = lines[0], int(lines[1]), decode_base64(lines[2])
    require(str(size) == lines[1] and size >= 0 and len(root) == 32, "checkpoint: malformed size or root")
    if verifier_key is None:
        return origin, size, root
    name, key_id, key = verifier_key.split("+", 2)
    key_id, key = bytes.fromhex(key_id), decode_base64(key)
    require(len(key) == 33 and key[0] == 1, "verifier key: not of type Ed25519")
    require(hashlib.sha256(name.encode() + b"\n" + key).digest()[:4] == key_id, "verifier key: its ID does not fit")
    verified = False
    for line in signatures.split("\n")[:-1]:
        dash, signer, blob = line.split(" ")
        require(dash == "\u2014", "checkpoint: malformed signature line")
        blob = decode_base64(blob)
        if signer == name and blob[:4] == key_id:
            ed25519_verify(key[1:], text.encode(), blob[4:])
            verified = True
    require(verified, "checkpoint: no signature by the key given")
    return origin, size, root


# tlog-tiles.
def tile_path(level, index, width):
    digits = "%03d" % (index % 1000)
    while index >= 1000:
        index //= 1000
        digits = "x%03d/%s" % (index % 1000, digits)
    return "tile/%s/%s%s" % (level, digits, "" if width == 256 else ".p/%d" % width)


def read_file(directory, path):
    with open(os.path.join(directory, path), "rb") as file:
        return file.read()


def tiles_of(count):
    """(index, width) of the tiles that hold `count` items."""
    for index in range((count + 255) // 256):
        yield index, min(256, count - 256 * index)


def read_entries(directory, size):
    for index, width in tiles_of(size):
        path = tile_path("entries", index, width)
        data, at = read_file(directory, path), 0
        for _ in range(width):
            length = int.from_bytes(data[at : at + 2], "big")
            require(at + 2 + length <= len(data), path + ": cut short")
            yield data[at + 2 : at + 2 + length]
            at += 2 + length
        require(at == len(data), path + ": bytes behind the last entry")


def check_log(directory, verifier_key):
    origin, size, root = read_checkpoint(read_file(directory, "checkpoint"), verifier_key)
    leaves = [leaf_hash(entry) for entry in read_entries(directory, size)]
    level, nodes, tiles = 0, leaves, 0
    while nodes:
        for index, width in tiles_of(len(nodes)):
            path = tile_path(level, index, width)
            expected = b"".join(nodes[256 * index : 256 * index + width])
            require(read_file(directory, path) == expected, path + ": not the hashes of what lies below")
            tiles += 1
        # only full tiles reach the level above
        nodes = [tree_hash(nodes[256 * i : 256 * i + 256]) for i in range(len(nodes) // 256)]
        level += 1
    computed = tree_hash(leaves) if leaves else hashlib.sha256(b"").digest()
    require(computed == root, "checkpoint: its root is not that of the entries")
    return origin, size, tiles


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__.split("\n")[0], file=sys.stderr)
        return 2
    verifier_key = arguments[1] if len(arguments) == 2 else None
    try:
        origin, size, tiles = check_log(arguments[0], verifier_key)
    except (Refused, OSError, ValueError) as reason:
        print("refused: %s" % reason)
        return 1
    signature = "signature verified" if verifier_key else "signature NOT checked: no key given"
    print("ok: %s: %d entries, %d tiles, %s" % (origin, size, tiles, signature))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
