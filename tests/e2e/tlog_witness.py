#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent witness, and an independent client of one, from the text of C2SP tlog-witness alone; like tlog_reader.py it shares nothing with the C code.

Signing is that of RFC 8032 section 5.1.6 in plain integers: for tests, with keys that guard nothing."""
import base64
import hashlib
import http.client
import http.server
import threading
import urllib.parse

from tlog_reader import BASE, COSIGNATURE, ORDER, P, Refused, check_consistency, decimal, decode_base64, parse_checkpoint, point_multiply, split_note
from tlog_reader import verified_keys


def point_encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


class SigningKey:
    """A key of signature type 1 (a log's) or 4 (a witness's); .key as tlog_reader has it, .vkey as text."""

    def __init__(self, name, kind, seed):
        expanded = hashlib.sha512(seed).digest()
        self.scalar = (int.from_bytes(expanded[:32], "little") & (2**254 - 8)) | 2**254
        self.prefix = expanded[32:]
        self.public = point_encode(point_multiply(self.scalar, BASE))
        blob = bytes([kind]) + self.public
        key_id = hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4]
        self.key = name, key_id, kind, self.public
        self.vkey = "%s+%s+%s" % (name, key_id.hex(), base64.b64encode(blob).decode())

    def sign(self, message):
        nonce = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % ORDER
        point = point_encode(point_multiply(nonce, BASE))
        hashed = int.from_bytes(hashlib.sha512(point + self.public + message).digest(), "little") % ORDER
        return point + ((nonce + hashed * self.scalar) % ORDER).to_bytes(32, "little")

    def line(self, text, time=None):
        """The signature line over the text of a note."""
        message, before = text.encode(), b""
        if self.key[2] == COSIGNATURE:
            message, before = b"cosignature/v1\ntime %d\n%s" % (time, message), time.to_bytes(8, "big")
        blob = base64.b64encode(self.key[1] + before + self.sign(message)).decode()
        return "\u2014 %s %s\n" % (self.key[0], blob)


def request_body(old_size, proof, note):
    lines = ["old %d\n" % old_size] + [base64.b64encode(one).decode() + "\n" for one in proof]
    return "".join(lines).encode() + b"\n" + note


class Client:
    """One keep-alive connection to a witness."""

    def __init__(self, prefix):
        url = urllib.parse.urlsplit(prefix)
        self.connection, self.path = http.client.HTTPConnection(url.hostname, url.port, timeout=20), url.path.rstrip("/")

    def ask(self, method, path, body=None):
        """Status, content type, body."""
        self.connection.request(method, self.path + path, body)
        reply = self.connection.getresponse()
        return reply.status, reply.headers.get("Content-Type"), reply.read()

    def add(self, old_size, proof, note):
        return self.ask("POST", "/add-checkpoint", request_body(old_size, proof, note))


class Witness:
    """What the specification makes a witness of, in memory. serve() runs it on a port of its own."""

    def __init__(self, signing_key, log_keys):
        self.signing_key, self.log_keys = signing_key, log_keys
        self.state = {}  # origin: (size, root)
        self.time = 1700000000
        self.spoil = None  # a test's way to make its replies wrong

    def add_checkpoint(self, body):
        head, separator, note = body.partition(b"\n\n")
        try:
            if not separator:
                raise Refused("no empty line")
            old, *proof = head.decode("ascii").split("\n")
            if not old.startswith("old ") or len(proof) > 63:
                raise Refused("not a request")
            old_size, proof = decimal(old[4:]), [decode_base64(line) for line in proof]
            origin, size, root = parse_checkpoint(note)
        except (Refused, ValueError):
            return 400, ""
        keys = [key for key in self.log_keys if key[0] == origin]
        if not keys:
            return 404, ""
        try:
            if not verified_keys(note, keys):
                return 403, ""
        except Refused:
            return 403, ""
        if old_size > size:
            return 400, ""
        known_size, known_root = self.state.get(origin, (0, b""))
        if old_size != known_size:
            return 409, "%d\n" % known_size
        try:
            check_consistency(known_size, known_root, size, root, proof)
        except Refused:
            return 422, ""
        self.state[origin] = size, root
        self.time += 1
        return 200, self.signing_key.line(split_note(note)[0], self.time)

    def serve(self):
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, text = witness.add_checkpoint(body) if self.path == "/w/add-checkpoint" else (404, "")
                if witness.spoil:
                    status, text = witness.spoil(status, text)
                self.send_response(status)
                self.send_header("Content-Type", "text/x.tlog.size" if status == 409 else "text/plain")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return "http://127.0.0.1:%d/w/" % server.server_address[1]
