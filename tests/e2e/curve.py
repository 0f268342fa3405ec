# SPDX-License-Identifier: Apache-2.0
"""From two Ed25519 identities to the key of authenticated STAMP, as docs/protocol.md defines it, in Python integers: RFC 7748 section 5 (X25519) and RFC
8032 section 5.1 (points and secret scalars). For tests: slow, and nothing in it is constant-time."""
import hashlib

P = 2**255 - 19


def secret_scalar(seed):
    """RFC 8032 section 5.1.5, which is also how X25519 clamps."""
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    return int.from_bytes(scalar, "little")


def montgomery(public_key):
    """u of an Edwards point: (1 + y) / (1 - y); the sign of x does not matter."""
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    return (1 + y) * pow(1 - y, P - 2, P) % P


def ladder(k, u):
    """RFC 7748 section 5: k times the point with this u."""
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a, b * b, d * a, c * b
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return x2 * pow(z2, P - 2, P) % P


def stamp_auth_key(validator_seed, validator_pk, provider_pk):
    shared = ladder(secret_scalar(validator_seed), montgomery(provider_pk)).to_bytes(32, "little")
    return hashlib.blake2b(b"assize/1/stamp-auth" + validator_pk + provider_pk, digest_size=32, key=shared).digest()
