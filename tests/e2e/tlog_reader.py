#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent reader of a transparency log: usage: tlog_reader.py DIR [VERIFIER-KEY] | tlog_reader.py --proof FILE POLICY

Written from the texts alone (C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature, tlog-policy and tlog-proof; RFC 6962
section 2.1; RFC 8032) and sharing nothing with the C code, so that a mistake would have to be made twice to go unnoticed. Python's
standard library has no Ed25519; the verification below is that of RFC 8032 section 5.1.7 in plain integers: slow, not constant-time,
and fine for a public signature.

Exit: 0 the log is what its checkpoint says (and, with a key, is signed by it), or the entry in the proof's extra line is where the
proof says and the policy accepts the checkpoint; 1 it is not, 2 bad usage.
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
    return node_hash(tree_hash(leaves[:split]), tree_hash(leaves[split:]))


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def inclusion_root(index, size, leaf, path):
    """The root that a path of section 2.1.1 leads to: the definition of PATH, read backwards."""
    if size == 1:
        require(not path, "inclusion path: too long")
        return leaf
    require(path, "inclusion path: too short")
    split = 1 << ((size - 1).bit_length() - 1)
    if index < split:
        return node_hash(inclusion_root(index, split, leaf, path[:-1]), path[-1])
    return node_hash(path[-1], inclusion_root(index - split, size - split, leaf, path[:-1]))


def consistency_roots(old_size, size, proof, old_root):
    """The roots of both sizes that a proof of section 2.1.2 leads to: SUBPROOF, read backwards. old_root None: b is false."""
    if old_size == size:
        if old_root is not None:
            require(not proof, "consistency proof: too long")
            return old_root, old_root
        require(len(proof) == 1, "consistency proof: of the wrong length")
        return proof[0], proof[0]
    require(proof, "consistency proof: too short")
    split = 1 << ((size - 1).bit_length() - 1)
    if old_size <= split:
        old, new = consistency_roots(old_size, split, proof[:-1], old_root)
        return old, node_hash(new, proof[-1])
    old, new = consistency_roots(old_size - split, size - split, proof[:-1], None)
    return node_hash(proof[-1], old), node_hash(proof[-1], new)


def check_consistency(old_size, old_root, size, root, proof):
    require(old_size <= size, "consistency proof: the log shrank")
    if old_size == 0:
        require(not proof, "consistency proof: from an empty tree, expected none")
    else:
        require(consistency_roots(old_size, size, proof, old_root) == (old_root, root), "consistency proof: other roots")


# signed-note: keys are (name, ID, type, public key).
ED25519, COSIGNATURE = 1, 4


def decode_base64(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data) == text.encode(), "base64 is not canonical")
    return data


def decimal(text):
    number = int(text)
    require(str(number) == text and 0 <= number < 2**63, "a number is malformed or too large")
    return number


def read_key(text):
    name, key_id, key = text.split("+", 2)
    key_id, key = bytes.fromhex(key_id), decode_base64(key)
    require(len(key) == 33 and key[0] in (ED25519, COSIGNATURE), "verifier key: of another type")
    require(hashlib.sha256(name.encode() + b"\n" + key).digest()[:4] == key_id, "verifier key: its ID does not fit")
    return name, key_id, key[0], key[1:]


def split_note(note):
    """The text and [(key name, key ID, signature)]."""
    text, separator, signatures = note.decode("utf-8").rpartition("\n\n")
    require(separator and signatures.endswith("\n"), "not a signed note")
    lines = []
    for line in signatures.split("\n")[:-1]:
        dash, signer, blob = line.split(" ")
        require(dash == "\u2014", "malformed signature line")
        blob = decode_base64(blob)
        lines.append((signer, blob[:4], blob[4:]))
    return text + "\n", lines


def verify_signature(key, text, signature):
    if key[2] == COSIGNATURE:  # tlog-cosignature: a time, then Ed25519 over two more lines
        require(len(signature) == 72, "cosignature: expected 72 bytes")
        time = int.from_bytes(signature[:8], "big")
        require(0 < time < 2**63, "cosignature: its time is out of range")
        text, signature = "cosignature/v1\ntime %d\n%s" % (time, text), signature[8:]
    ed25519_verify(key[3], text.encode(), signature)


def verified_keys(note, keys):
    """Those of the keys that signed; one signature by any of them that fails refuses the note."""
    text, lines = split_note(note)
    seen = []
    for name, key_id, signature in lines:
        for key in keys:
            if (name, key_id) == key[:2]:
                verify_signature(key, text, signature)
                seen.append(key)
    return seen


# tlog-checkpoint.
def parse_checkpoint(note):
    lines = split_note(note)[0].split("\n")
    require(len(lines) >= 4 and all(lines[:-1]), "checkpoint: expected origin, size and root")
    root = decode_base64(lines[2])
    require(len(root) == 32, "checkpoint: malformed root")
    return lines[0], decimal(lines[1]), root


def read_checkpoint(note, verifier_key):
    checkpoint = parse_checkpoint(note)
    if verifier_key is not None:
        require(verified_keys(note, [read_key(verifier_key)]), "checkpoint: no signature by the key given")
    return checkpoint


# tlog-policy.
class Policy:
    def __init__(self, text):
        self.logs, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        members = set()
        for line in text.split("\n"):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "log":
                self.logs.append(read_key(words[1]))
            elif words[0] == "witness":
                self.witnesses[words[1]] = read_key(words[2])
            elif words[0] == "group":
                names = words[3:]
                require(not members & set(names) and len(set(names)) == len(names), "policy: a member twice")
                members |= set(names)
                needed = {"all": len(names), "any": 1}.get(words[2]) or int(words[2])
                require(1 <= needed <= len(names), "policy: a threshold out of range")
                self.groups[words[1]] = needed, names
            else:
                require(words[0] == "quorum" and self.quorum is None, "policy: an unknown line")
                self.quorum = words[1]
        require(self.quorum, "policy: no quorum")

    def witnessed(self, name, seen):
        if name == "none":
            return True
        if name in self.witnesses:
            return self.witnesses[name] in seen
        needed, names = self.groups[name]
        return sum(self.witnessed(member, seen) for member in names) >= needed

    def check(self, note):
        """The checkpoint, and how many witnesses cosigned it."""
        checkpoint = parse_checkpoint(note)
        logs = [key for key in self.logs if key[0] == checkpoint[0]]
        seen = verified_keys(note, logs + list(self.witnesses.values()))
        require(any(key in seen for key in logs), "checkpoint: signed by no log of the policy")
        require(self.witnessed(self.quorum, seen), "checkpoint: no quorum of witnesses")
        return checkpoint, sum(key in seen for key in self.witnesses.values())


# tlog-proof.
def check_proof(proof, policy):
    head, separator, note = proof.partition(b"\n\n")
    lines = head.decode("ascii").split("\n")
    require(separator and lines[0] == "c2sp.org/tlog-proof@v1", "proof: not one")
    require(lines[1].startswith("extra ") and lines[2].startswith("index "), "proof: expected extra and index")
    entry, index = decode_base64(lines[1][6:]), decimal(lines[2][6:])
    (origin, size, root), cosigned = policy.check(note)
    require(index < size, "proof: its index lies behind the tree")
    path = [decode_base64(line) for line in lines[3:]]
    require(inclusion_root(index, size, leaf_hash(entry), path) == root, "proof: the path leads to another root")
    return origin, size, index, cosigned


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
    try:
        if arguments[:1] == ["--proof"] and len(arguments) == 3:
            policy = Policy(read_file(".", arguments[2]).decode("utf-8"))
            origin, size, index, cosigned = check_proof(read_file(".", arguments[1]), policy)
            print("ok: %s: entry %d of %d, cosigned by %d witnesses" % (origin, index, size, cosigned))
        elif len(arguments) in (1, 2) and not arguments[0].startswith("-"):
            verifier_key = arguments[1] if len(arguments) == 2 else None
            origin, size, tiles = check_log(arguments[0], verifier_key)
            signature = "signature verified" if verifier_key else "signature NOT checked: no key given"
            print("ok: %s: %d entries, %d tiles, %s" % (origin, size, tiles, signature))
        else:
            print(__doc__.split("\n")[0], file=sys.stderr)
            return 2
    except (Refused, OSError, ValueError, IndexError, KeyError) as reason:
        print("refused: %s" % reason)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
