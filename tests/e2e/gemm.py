#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gemm and mem from end to end over veth: consent, commitments, arenas that are built and folded, the reveal, openings in chunks, verdicts; with honest providers, with
one that opens other columns than it committed to, with one that does not consent, and over a wire that loses datagrams. Speaks TAP."""
import os
import subprocess
import sys

import veth
from veth import Checks, Network, run, sh

ASSIZE, RESPONDER, VERIFY = sys.argv[1:4]
PROVIDERS = 4
CHUNKS, CHUNK_BYTES = 8, 1104  # of 16 openings of preset tiny: as many full ones, and one that is not
checks = Checks("gemm")
check = checks.check


class AnyIp(Network):
    """10.88.1.0/24 is the providers'."""

    def __init__(self):
        super().__init__()
        sh("ip -n %s route add local 10.88.1.0/24 dev lo" % self.p)


class Provider:
    def __init__(self, network, folder, validator_key, *options):
        self.responder = subprocess.Popen(["ip", "netns", "exec", network.p, RESPONDER, "run", "--key", os.path.join(folder, "provider.key"), "--validator",
                                           validator_key, "--rate-pps", "100000", "--challenge-rate", "10000", "--duty-ppm", "1000000",
                                           "--devices", str(PROVIDERS), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.responder.terminate()
        self.responder.wait()


def counters(validator, epochs=1):
    """Of as many epochs; {} when they did not end well."""
    return (validator.json("run", "--epochs", str(epochs)).get("counters")) or {}


def incidents(validator):
    """Kinds of the last epoch's, over all providers."""
    kinds = []
    for i in range(PROVIDERS):
        profile = validator.json("profile", "p%d" % i)
        last = validator.json("status").get("last_epoch", {}).get("epoch")
        kinds += [incident["kind"] for incident in profile.get("incidents", []) if incident["epoch"] == last]
    return kinds


def scenario(_, network, folder):
    validator = veth.Validator(network, ASSIZE, os.path.join(folder, "home"), time__epoch_s="5", time__challenge_slot_s="1", challenge__gemm_preset="tiny",
                               challenge__mem_preset="tiny", challenge__deadline_ms="300", challenge__gemm_deadline_ms="300", challenge__mem_build_deadline_ms="300",
                               challenge__mem_fold_deadline_ms="300", challenge__opening_deadline_ms="500", challenge__openings="16", challenge__duty_ppm="1000000")
    done = validator.made
    check("init_makes_a_home", done.returncode == 0, done.stderr)
    validator_key = done.stdout.split("public key")[1].split()[0]
    provider_key = run(RESPONDER, "keygen", "--key", os.path.join(folder, "provider.key")).stdout.strip()
    for i in range(PROVIDERS):
        done = validator.assize("provider", "add", "p%d" % i, "--ip", "10.88.1.%d" % (i + 1), "--key", provider_key, "--device", str(i))
    check("providers_are_registered", done.returncode == 0, done.stderr)

    with Provider(network, folder, validator_key, "--gemm", "tiny", "--mem", "tiny", "--mem-bandwidth", "1000000000"):
        seen = counters(validator)
    folds = sum(seen.get("folds_" + pace, 0) for pace in ("in_bounds", "too_slow", "too_fast", "untimed"))
    check("everybody_says_welcome", seen.get("welcomes") == PROVIDERS, seen)
    check("and_opens_what_it_committed_to", seen.get("openings_complete", 0) >= PROVIDERS and seen.get("openings_missing") == 0, seen)
    check("arenas_are_folded", folds >= PROVIDERS and seen.get("openings_complete", 0) >= 3 * PROVIDERS, seen)
    check("as_fast_as_their_memory_is_claimed_to_be", seen.get("folds_in_bounds", 0) > 0 and seen.get("folds_too_fast") == 0, seen)
    shown = [validator.json("profile", "p%d" % i).get("performance") or {} for i in range(PROVIDERS)]
    check("and_profile_shows_it", sum(one.get("folds_in_bounds", 0) for one in shown) == seen.get("folds_in_bounds") and
          all(one.get("claimed_bytes_ps") == 1000000000 for one in shown), shown)
    check("each_in_several_chunks", seen.get("chunks", 0) == (CHUNKS + 1) * seen.get("openings_complete", 1) + CHUNKS * folds, seen)
    check("and_signs_which_probes_it_answered", seen.get("receipts_confirmed", 0) >= PROVIDERS and seen.get("receipts_contradicted") == 0, seen)
    check("nothing_is_malformed", seen.get("answers_malformed") == 0 and seen.get("answers_bad_mac") == 0, seen)
    check("nobody_is_blamed", incidents(validator) == [], incidents(validator))

    with Provider(network, folder, validator_key):
        seen = counters(validator)
    check("who_does_not_consent_is_not_asked", seen.get("challenges_not_asked", 0) >= PROVIDERS and seen.get("opens_sent") == 0, seen)
    check("and_not_blamed", incidents(validator) == [], incidents(validator))

    with Provider(network, folder, validator_key, "--gemm", "tiny", "--lab-loss-ppm", "300000"):
        seen = counters(validator)
    again = seen.get("hellos_sent", 0) - PROVIDERS + seen.get("challenges_repeated", 0) + seen.get("opens_sent", 0) - seen.get("openings_complete", 0)
    check("what_the_wire_loses_is_asked_for_again", again > 0 and seen.get("openings_complete", 0) > 0, seen)
    check("and_is_no_wrong_answer", "wrong-answer" not in incidents(validator), incidents(validator))

    # Chains of 2^5 steps at most are answered, so none is: what is wrong, and proved, are openings alone.
    with Provider(network, folder, validator_key, "--gemm", "tiny", "--mem", "tiny", "--seq-log2-max", "5", "--lab-wrong-answers"):
        seen = counters(validator, epochs=3)
    check("columns_that_were_not_committed_to_are_opened", seen.get("openings_complete", 0) >= 2 * PROVIDERS, seen)
    check("and_are_wrong_answers", incidents(validator).count("wrong-answer") == PROVIDERS, incidents(validator))
    wrong = [slash for slash in validator.json("slash", "list").get("recommendations", []) if slash["offence"] == "S1"]
    check("which_take_stake", len(wrong) == PROVIDERS, wrong)
    for slash in wrong[:1]:
        evidence = os.path.join(folder, "evidence.cbor")
        validator.assize("slash", "export", str(slash["id"]), evidence)
        verified = run(VERIFY, "evidence", evidence)
        check("by_evidence_that_verifies_offline", verified.returncode == 0, verified.stdout + verified.stderr)
        with open(evidence, "rb") as file:
            bundle = bytearray(file.read())
        answers = int(verified.stdout.split("wrong-answers: ")[1].split()[0])
        check("with_the_openings_of_each_wrong_answer", len(bundle) > answers * CHUNKS * CHUNK_BYTES, (answers, len(bundle)))
        bundle[len(bundle) // 2] ^= 1
        with open(evidence, "wb") as file:
            file.write(bundle)
        check("and_not_when_a_byte_of_them_is_changed", run(VERIFY, "evidence", evidence).returncode == 1)


sys.exit(checks.main(scenario, kind=AnyIp))
