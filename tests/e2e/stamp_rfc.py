# SPDX-License-Identifier: Apache-2.0
"""STAMP written a second time, from the text of RFC 8762 (sections 4.2 to 4.4) and RFC 8972 (section 3, the SSID), in Python's standard library and with
nothing of this project's: what the C code is held against. It is ours, so it is independent in code only, not in who read the RFC; docs/protocol.md says
which implementations of others were tried.

As a program it reflects: `stamp_rfc.py ADDRESS[,key=HEX][,stateful][,no-ssid] ...`, each address on UDP port 862, until it is terminated; it then prints
how many requests it answered, and how many it did not for a wrong HMAC."""
import hashlib
import hmac
import json
import selectors
import signal
import socket
import struct
import sys
import time

PORT, PLAIN, AUTH = 862, 44, 112
IP_RECVTTL, IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT = 12, 51, 52  # Linux; the socket module has not all of them
ERROR_ESTIMATE = 0x0001 | 10 << 8  # not synchronised, NTP format, 2^(10-32) s, multiplier 1 (RFC 4656 section 4.1.2)


def ntp(seconds=None):
    """64 bits: seconds since 1900 and their fraction (RFC 5905 section 6)."""
    return int(((time.time() if seconds is None else seconds) + 2208988800) * 2**32) & 0xFFFFFFFFFFFFFFFF


def tag(key, packet):
    """Section 4.4: HMAC-SHA-256 over all before it, cut to 128 bits."""
    return hmac.new(key, packet[:96], hashlib.sha256).digest()[:16]


def request(sequence, key=None, ssid=0, sent=None, size=None):
    sent = ntp() if sent is None else sent
    if key is None:
        return struct.pack("!IQHH28x", sequence, sent, ERROR_ESTIMATE, ssid).ljust(size or PLAIN, b"\0")
    packet = struct.pack("!I12xQHH68x", sequence, sent, ERROR_ESTIMATE, ssid)
    return packet + tag(key, packet)


def read_reply(packet, key=None):
    """The fields of a reply; ValueError for what a sender must not take."""
    if key is None:
        if len(packet) < PLAIN:
            raise ValueError("%d bytes, expected %d" % (len(packet), PLAIN))
        names = ("sequence", "sent", "error", "ssid", "received", "sender_sequence", "sender_sent", "sender_error", "zero", "ttl", "zero2")
        fields = dict(zip(names, struct.unpack("!IQHHQIQHHB3s", packet[:PLAIN])))
        zeros = (fields["zero"].to_bytes(2, "big"), fields["zero2"])
    else:
        if len(packet) < AUTH or not hmac.compare_digest(packet[96:AUTH], tag(key, packet)):
            raise ValueError("no reply of authenticated mode, or its HMAC is wrong")
        names = ("sequence", "z1", "sent", "error", "ssid", "z2", "received", "z3", "sender_sequence", "z4", "sender_sent", "sender_error", "z5", "ttl", "z6")
        fields = dict(zip(names, struct.unpack("!I12sQHH4sQ8sI12sQH6sB15s", packet[:96])))
        zeros = [fields["z%d" % i] for i in range(1, 7)]
    if any(any(part) for part in zeros):
        raise ValueError("what must be zero is not: %s" % packet.hex())
    return fields


def reflect(packet, received, ttl, key=None, sequence=None, ssid=True):
    """The reply; None where a reflector is silent. Without a sequence of its own it is stateless, and repeats the sender's."""
    if key is None:
        if len(packet) < PLAIN:
            return None
        theirs, sent, error, their_ssid = struct.unpack("!IQHH", packet[:16])
        head = struct.pack("!IQHHQIQHHB3x", theirs if sequence is None else sequence, ntp(), ERROR_ESTIMATE, their_ssid if ssid else 0, received,
                           theirs, sent, error, 0, ttl)
        return head + bytes(len(packet) - PLAIN)
    if len(packet) < AUTH or not hmac.compare_digest(packet[96:AUTH], tag(key, packet)):
        return None
    theirs, sent, error, their_ssid = struct.unpack("!I12xQHH", packet[:28])
    reply = struct.pack("!I12xQHH4xQ8xI12xQH6xB15x", theirs if sequence is None else sequence, ntp(), ERROR_ESTIMATE, their_ssid if ssid else 0, received,
                        theirs, sent, error, ttl)
    return reply + tag(key, reply)


class Reflector:
    def __init__(self, text):
        address, *options = text.split(",")
        self.key = next((bytes.fromhex(o[4:]) for o in options if o.startswith("key=")), None)
        self.stateful, self.ssid = "stateful" in options, "no-ssid" not in options
        self.sequence = self.answered = self.refused = 0
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        self.socket.bind((address, PORT))

    def serve(self):
        packet, extra, _, peer = self.socket.recvmsg(2048, 64)
        received = ntp()
        ttl = next((data[0] for level, kind, data in extra if (level, kind) in ((socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, IPV6_HOPLIMIT))), 0)
        reply = reflect(packet, received, ttl, self.key, self.sequence if self.stateful else None, self.ssid)
        if reply is None:
            self.refused += 1
            return
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        self.answered += 1
        self.socket.sendto(reply, peer)


def main():
    reflectors = {text.split(",")[0]: Reflector(text) for text in sys.argv[1:]}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with selectors.DefaultSelector() as selector:
        for reflector in reflectors.values():
            selector.register(reflector.socket, selectors.EVENT_READ, reflector)
        try:
            while True:
                for ready, _ in selector.select():
                    ready.data.serve()
        finally:
            print(json.dumps({address: [r.answered, r.refused] for address, r in reflectors.items()}), flush=True)


if __name__ == "__main__":
    main()
