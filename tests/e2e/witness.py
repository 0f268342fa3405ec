#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Witnesses, ours and another's: `assize log witness` asked by a client, and `assize log cosign` asking a witness, that were both written from the
specification without a line of this project (tlog_witness.py); then ours asking ours, and what a kill between two requests leaves. Speaks TAP."""
import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

from tlog_reader import COSIGNATURE, ED25519, Policy, check_proof, leaf_hash, parse_checkpoint, read_key, split_note, tree_hash, verified_keys
from tlog_witness import Client, SigningKey, Witness
from veth import Checks

ASSIZE, VERIFY, APPEND = sys.argv[1:4]
ORIGIN = "log.example/python"
LOG = SigningKey(ORIGIN, ED25519, b"\x01" * 32)
STRANGER = SigningKey(ORIGIN, ED25519, b"\x02" * 32)


def consistency(old_size, leaves, whole=True):
    """PROOF of RFC 6962 section 2.1.2."""
    if old_size == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if old_size <= split:
        return consistency(old_size, leaves[:split], whole) + [tree_hash(leaves[split:])]
    return consistency(old_size - split, leaves[split:], False) + [tree_hash(leaves[:split])]


def text_of(size, root, origin=ORIGIN, more=""):
    return "%s\n%d\n%s\n%s" % (origin, size, base64.b64encode(root).decode(), more)


def signed(text, key=LOG):
    return (text + "\n" + key.line(text)).encode()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def assize(*words, json_out=False):
    done = subprocess.run([ASSIZE, *(["--json"] if json_out else []), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


class Ours:
    """A running `assize log witness`."""

    def __init__(self, folder, policy):
        self.process = subprocess.Popen([ASSIZE, "log", "witness", "--dir", folder, "--policy", policy, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
        words = self.process.stdout.readline().split()
        self.url, self.vkey = "http://127.0.0.1:%s" % words[words.index("port") + 1].rstrip(","), words[-1]
        self.client = Client(self.url)

    def end(self, how=signal.SIGTERM):
        self.client.connection.close()
        self.process.send_signal(how)
        return self.process.wait(timeout=20)


def hostile(checks, client, leaves):
    """Requests that no state allows. The witness has cosigned nothing yet."""
    root = tree_hash(leaves[:5])
    good = signed(text_of(5, root))
    statuses = {
        "no_body": (client.ask("POST", "/add-checkpoint", b""), 400),
        "no_old_line": (client.ask("POST", "/add-checkpoint", b"\n" + good), 400),
        "a_leading_zero": (client.ask("POST", "/add-checkpoint", b"old 00\n\n" + good), 400),
        "64_hashes": (client.add(0, [root] * 64, good), 400),
        "no_note": (client.add(0, [], b"nonsense"), 400),
        "an_old_size_above_the_new": (client.add(6, [], good), 400),
        "a_stranger's_log": (client.add(0, [], signed(text_of(5, root, "log.example/other"))), 404),
        "no_signature_of_the_log": (client.add(0, [], signed(text_of(5, root), STRANGER)), 403),
        "a_false_signature_of_the_log": (client.add(0, [], good.replace(b"\n5\n", b"\n6\n")), 403),
        "a_proof_from_nothing": (client.add(0, [root], good), 422),
        "a_root_of_an_empty_tree": (client.add(0, [], signed(text_of(0, root))), 422),
        "a_size_it_never_saw": (client.add(3, [], good), 409),
        "another_path": (client.ask("POST", "/sign-subtree", b"x"), 405),
        "a_get_of_nothing": (client.ask("GET", "/x/checkpoint"), 404),
        "a_log_that_it_never_cosigned": (client.ask("GET", "/%s/checkpoint" % hashlib.sha256(ORIGIN.encode()).hexdigest()), 404),
        "a_long_way_up": (client.ask("GET", "/../witness.key"), 404),
    }
    for what, (reply, expected) in statuses.items():
        checks.check("refuses_" + what, reply[0] == expected, reply)
    reply = Client("http://127.0.0.1:%d" % client.connection.port).ask("POST", "/add-checkpoint", b"old 0\n\n" + b"x" * 300000)
    checks.check("refuses_a_body_over_its_limit", reply[0] == 413, reply[0])
    with socket.create_connection(("127.0.0.1", client.connection.port)) as slow:
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nold")
        reply = Client("http://127.0.0.1:%d" % client.connection.port).add(3, [], good)
        checks.check("answers_others_while_one_is_slow", reply[0] == 409, reply)


def growing(checks, ours, leaves):
    """The right order of things; and forks at each step."""
    witness = read_key(ours.vkey)

    def cosigned(reply, note):
        whole = note[: note.index(b"\n\n") + 2] + reply[2]
        return reply[0] == 200 and verified_keys(whole, [witness]) == [witness]

    client, size = ours.client, 0
    for new in (1, 2, 5, 8, 13, 13, 100):
        note = signed(text_of(new, tree_hash(leaves[:new])))
        reply = client.add(size, consistency(size, leaves[:new]) if size else [], note)
        checks.check("cosigns_%d_after_%d" % (new, size), cosigned(reply, note), reply)
        size = new
    fork = leaves[:50] + [leaf_hash(b"another history")] + leaves[51:]
    for new in (100, 120):
        note = signed(text_of(new, tree_hash(fork[:new])))
        reply = client.add(100, consistency(100, fork[:new]) if new > 100 else [], note)
        checks.check("never_a_fork_at_%d" % new, reply[0] == 422, reply)
    note = signed(text_of(90, tree_hash(leaves[:90])))
    reply = client.add(90, [], note)
    checks.check("never_back_and_says_where_it_is", reply[0] == 409 and reply[1] == "text/x.tlog.size" and reply[2] == b"100\n", reply)
    extended = signed(text_of(101, tree_hash(leaves[:101]), more="an extension line\n"))
    reply = client.add(100, consistency(100, leaves[:101]), extended)
    checks.check("extension_lines_are_cosigned_too", cosigned(reply, extended), reply)
    status, _, note = client.ask("GET", "/%s/checkpoint" % hashlib.sha256(ORIGIN.encode()).hexdigest())
    keys = verified_keys(note, [LOG.key, witness]) if status == 200 else []
    checks.check("monitors_get_the_checkpoint_with_both_signatures", keys == [LOG.key, witness] and parse_checkpoint(note)[1] == 101, note)


def after_a_kill(checks, folder, policy, leaves):
    """A witness that was killed knows what it promised; one without its state does not start again at nothing."""
    ours = Ours(folder, policy)
    fork = [leaf_hash(b"f%d" % i) for i in range(101)]
    reply = ours.client.add(0, [], signed(text_of(101, tree_hash(fork))))
    checks.check("a_kill_forgets_nothing", reply[0] == 409 and reply[2] == b"101\n", reply)
    code, _, err = assize("log", "witness", "--dir", folder, "--policy", policy, "--listen", "127.0.0.1:0")
    checks.check("there_is_only_one_of_it", code == 3 and "another process" in err, (code, err))
    state = os.path.join(folder, hashlib.sha256(ORIGIN.encode()).hexdigest(), "state")
    with open(state, "rb") as file:
        kept = file.read()
    write(state, "torn")
    note = signed(text_of(102, tree_hash(leaves[:102])))
    reply = ours.client.add(101, consistency(101, leaves[:102]), note)
    checks.check("a_damaged_state_cosigns_nothing", reply[0] == 500, reply)
    with open(state, "wb") as file:
        file.write(kept)
    reply = ours.client.add(101, consistency(101, leaves[:102]), note)
    checks.check("and_restored_it_goes_on", reply[0] == 200, reply)
    checks.check("it_ends_when_asked_to", ours.end() == 130)


def asking(checks, folder):
    """`assize log cosign` asks a witness of another's, in all its moods, and one of ours."""
    home, policy = os.path.join(folder, "home"), os.path.join(folder, "cosign.policy")
    checks.check("a_home", assize("--home", home, "init", "--preset", "lab", "--origin", "log.example/ours")[0] == 0)
    signing = SigningKey("witness.example/python", COSIGNATURE, b"\x03" * 32)
    vkey = subprocess.run([APPEND, home, "0"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    witness = Witness(signing, [read_key(vkey)])
    url = witness.serve()
    write(policy, "witness python %s %s\nquorum python\n" % (signing.vkey, url))

    def cosign():
        return assize("--home", home, "log", "cosign", "--policy", policy, "--timeout", "5")

    def published():
        with open(os.path.join(home, "log", "checkpoint"), "rb") as file:
            return file.read()

    moods = {
        "a_false_line": lambda status, text: (status, text.replace("A", "B").replace("a", "b") if status == 200 else text),
        "no_line": lambda status, text: (status, "" if status == 200 else text),
        "nonsense": lambda status, text: (200, "\x00\x01\n\n\n"),
        "too_much": lambda status, text: (200, "x" * 100000),
        "a_size_that_is_none": lambda status, text: (409, "many\n"),
        "sizes_without_end": lambda status, text: (409, "0\n"),
        "a_size_ahead_of_the_log": lambda status, text: (409, "1000000\n"),
        "a_redirection": lambda status, text: (302, ""),
        "a_refusal": lambda status, text: (403, "\x1b[31mno\n"),
    }
    before = published()
    for mood, spoil in moods.items():
        witness.spoil = spoil
        code, _, err = cosign()
        checks.check("from_a_witness_with_%s_nothing_is_published" % mood, code == 1 and published() == before and "\x1b" not in err, (code, err))
    witness.spoil = None
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        other = write(os.path.join(folder, "silent.policy"), "witness python %s http://127.0.0.1:%d\nquorum python\n" % (signing.vkey, silent.getsockname()[1]))
        code, _, err = assize("--home", home, "log", "cosign", "--policy", other, "--timeout", "1")
        checks.check("a_silent_witness_is_given_up", code == 1 and "timed out" in err.lower(), (code, err))
    for more in (0, 3, 300, 0):
        subprocess.run([APPEND, home, str(more)], stdout=subprocess.DEVNULL, check=True)
        code, out, err = cosign()
        seen = verified_keys(published(), [signing.key, read_key(vkey)])
        checks.check("cosigned_after_%d_more" % more, code == 0 and "quorum: cosigned by 1" in out and len(seen) == 2, (code, out, err))
    checks.check("one_line_each", len(split_note(published())[1]) == 2, published())

    # ours asks ours, too, and both are needed
    vkey_ours = assize("log", "witness", "--dir", os.path.join(folder, "w2"), "--init", "witness.example/ours")[1].strip()
    both = "log %s\nwitness python %s %s\nwitness ours %s %%s\ngroup g all python ours\nquorum g\n" % (vkey, signing.vkey, url, vkey_ours)
    write(policy, both % "http://127.0.0.1:1/")
    code, out, err = cosign()
    checks.check("one_of_two_is_no_quorum", code == 1 and "ours:" in err, (code, out, err))
    ours = Ours(os.path.join(folder, "w2"), policy)
    write(policy, both % ours.url)
    code, out, err = assize("--home", home, "log", "cosign", "--policy", policy, json_out=True)
    said = json.loads(out or "{}")
    checks.check("both_are", code == 0 and said.get("quorum") is True and said.get("cosigned") == 2, (code, out, err))
    checks.check("fsck_of_a_cosigned_log", assize("--home", home, "log", "fsck")[0] == 0)

    # a proof of that, for all three verifiers
    code, proof, err = assize("--home", home, "log", "prove", "7")
    path = write(os.path.join(folder, "7.tlog-proof"), proof)
    code, out, err = assize("--home", home, "log", "verify", path, "--policy", policy)
    checks.check("the_proof_has_the_quorum", code == 0 and "cosigned by 2 witnesses" in out, (code, out, err))
    done = subprocess.run([VERIFY, "proof", path, "--policy", policy], stdout=subprocess.PIPE, text=True, check=False)
    checks.check("assize_verify_says_so_too", done.returncode == 0 and "cosigned by 2 witnesses" in done.stdout, done.stdout)
    with open(policy, encoding="utf-8") as file:
        said = check_proof(proof.encode(), Policy(file.read()))
    checks.check("and_so_does_python", said == ("log.example/ours", 303, 7, 2), said)
    subprocess.run([APPEND, home, "1"], stdout=subprocess.DEVNULL, check=True)
    checks.check("a_newer_checkpoint_is_not_cosigned_yet", assize("--home", home, "log", "checkpoint", "--policy", policy)[0] == 1)
    ours.end()


class Following:
    """A command with --follow, which writes lines until it is interrupted."""

    def __init__(self, *words):
        self.process = subprocess.Popen([ASSIZE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def lines(self, count):
        return "".join(self.process.stdout.readline() for _ in range(count))

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)
        return self.process.returncode


def following(checks, folder):
    """`log tail --follow` as a monitor, `log cosign --follow` as a log's companion; then the log is rolled back under the monitor."""
    home, policy = os.path.join(folder, "home"), os.path.join(folder, "cosign.policy")
    signing = SigningKey("witness.example/python", COSIGNATURE, b"\x03" * 32)
    vkey = subprocess.run([APPEND, home, "0"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    write(policy, "witness python %s %s\nquorum python\n" % (signing.vkey, Witness(signing, [read_key(vkey)]).serve()))
    path = os.path.join(home, "log", "checkpoint")
    with open(path, "rb") as file:
        old = file.read()
    tail = Following("--home", home, "log", "tail", "--count", "1", "--follow")
    cosign = Following("--home", home, "log", "cosign", "--policy", policy, "--follow")
    checks.check("tail_starts_where_it_was_told", tail.lines(1).split()[0] == "303")
    checks.check("cosign_starts_with_what_is_published", "python cosigned 304 entries" in cosign.lines(2))
    subprocess.run([APPEND, home, "2"], stdout=subprocess.DEVNULL, check=True)
    checks.check("tail_shows_what_comes", [line.split()[0] for line in tail.lines(2).splitlines()] == ["304", "305"])
    checks.check("cosign_asks_about_what_comes", "python cosigned 306 entries" in cosign.lines(2))
    checks.check("cosign_ends_when_asked_to", cosign.end() == 130)
    with open(path + ".old", "wb") as file:
        file.write(old)
    os.replace(path + ".old", path)
    out, err = tail.process.communicate(timeout=20)
    checks.check("tail_refuses_a_log_that_shrank", tail.process.returncode == 1 and "shrank" in err, (out, err))


def main():
    checks = Checks("witness")
    leaves = [leaf_hash(b"entry %d" % i) for i in range(130)]
    with tempfile.TemporaryDirectory() as folder:
        policy = write(os.path.join(folder, "witness.policy"), "log %s\nquorum none\n" % LOG.vkey)
        place = os.path.join(folder, "w")
        code, _, err = assize("log", "witness", "--dir", place, "--policy", policy, "--listen", "127.0.0.1:0")
        checks.check("no_witness_starts_without_its_key", code == 2 and "no witness there" in err, (code, err))
        checks.check("init", assize("log", "witness", "--dir", place, "--init", "witness.example/w")[0] == 0)
        checks.check("and_not_twice", assize("log", "witness", "--dir", place, "--init", "witness.example/w")[0] == 2)
        ours = Ours(place, policy)
        hostile(checks, ours.client, leaves)
        growing(checks, ours, leaves)
        ours.end(signal.SIGKILL)
        after_a_kill(checks, place, policy, leaves)
        asking(checks, folder)
        following(checks, folder)
    return checks.report()


if __name__ == "__main__":
    sys.exit(main())
