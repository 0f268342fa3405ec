# SPDX-License-Identifier: Apache-2.0
"""Whatever a validator published, once more: from its log, its reports and its configuration alone, by programs that share nothing with it.

The log's epoch-close entries commit to the root of each epoch's report. The records of the reports hold what was measured; score_reference.py makes
everything else of them, which must be what the records say and, for the newest epoch, what `assize profile` shows. What records do not hold is
not recomputed: E (the evidence replays it) and the share of right answers (malformed ones have no field)."""
import configparser
import json
import os
import sqlite3
import struct
import sys

from tlog_reader import leaf_hash, read_checkpoint, read_entries, read_file, tree_hash

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "control", "score"))
from score_reference import BINDINGS, Provider, bound_ns  # noqa: E402

RECORD = struct.Struct(">4BIQ32s4H2Q3I2H2I")
FIELDS = (
    "version tier binding flags device row key sent answered late unjudged judged up rtt_q50_ns rtt_q95_ns e answers_pass answers_fail"
    " availability_low_ppm composite_ppm"
).split()
SHOWN = {  # of the profile: name there, name in the reference
    name: name
    for name in "tier composite_ppm binding confidence_ppm gate_open uptime_ppm slots_judged window_uptime_ppm window_slots"
    " availability_low_ppm slots_missing loss_ppm sla".split()
}
SHOWN.update(availability_score_ppm="s_availability_ppm", latency_score_ppm="s_latency_ppm")


def cbor(data, at=0):
    """A value of what the log uses: unsigned integers, byte strings, maps."""
    kind, size = data[at] >> 5, data[at] & 31
    at += 1
    if size >= 24:
        length = 1 << (size - 24)
        size, at = int.from_bytes(data[at : at + length], "big"), at + length
    if kind == 0:
        return size, at
    if kind == 2:
        return data[at : at + size], at + size
    found = {}
    for _ in range(size):
        key, at = cbor(data, at)
        found[key], at = cbor(data, at)
    return found, at


def closed_epochs(log):
    """{epoch: (root of the report, wall time)}"""
    size = read_checkpoint(read_file(log, "checkpoint"), None)[1]
    entries = [cbor(entry)[0] for entry in read_entries(log, size)]
    return {entry[1]: (entry[3], entry[5]) for entry in entries if entry[0] == 2}


def target_of(score, own_ns, region):
    targets = dict(word.split("=") for word in score.get("rtt_target_regions", "").split())
    names = [name for name in targets if region == name or region.startswith(name + "-")]
    return own_ns or 10**6 * int(targets[max(names, key=len)] if names else score["rtt_target_ms"])


def measures(record, end_ns):
    return dict(
        record, end_ns=end_ns, slots_judged="%x" % record["judged"], slots_up="%x" % record["up"], answers_malformed=0,
        rtt_error_ns=bound_ns(record["flags"] >> 1)
    )


def check_record(provider, record, end_ns, target_ns):
    """The score, and the fields of the record that are not what follows from its measures."""
    provider.eprocess.fired = not record["flags"] & 1
    score = provider.score(measures(record, end_ns), (record["rtt_q50_ns"], record["rtt_q95_ns"], 0), target_ns)
    said = dict(record, binding=BINDINGS[record["binding"]])
    return score, [name for name in ("tier", "binding", "availability_low_ppm", "composite_ppm") if score[name] != said[name]]


def recompute(home, profile):
    """(records checked, what is not as it should be); profile(name): the JSON of `assize profile`."""
    config = configparser.ConfigParser(inline_comment_prefixes=(";",))
    config.read(os.path.join(home, "assize.conf"))
    score_keys = config["score"]
    params = {"vetting_days": 21, "vetting_slots": 5000, "sla_uptime_ppm": int(score_keys["sla_uptime_ppm"]), "rtt_target_ns": 0}
    store = sqlite3.connect("file:%s?mode=ro" % os.path.join(home, "store.db"), uri=True)
    known = {row[0]: row[1:] for row in store.execute("SELECT row, name, rtt_target_ns, region FROM provider")}
    closed, wrong, count, state, newest = closed_epochs(os.path.join(home, "log")), [], 0, {}, {}
    for epoch, report in store.execute("SELECT epoch, records FROM report ORDER BY epoch"):
        records = [report[at : at + RECORD.size] for at in range(0, len(report), RECORD.size)]
        root, end_ns = closed[epoch]
        if tree_hash([leaf_hash(record) for record in records]) != root:
            wrong.append("epoch %d: the log has another root" % epoch)
        for data in records:
            record = dict(zip(FIELDS, RECORD.unpack(data)))
            name, own_ns, region = known[record["row"]]
            provider = state.setdefault(name, Provider(params))
            newest[name], bad = check_record(provider, record, end_ns, target_of(score_keys, own_ns, region))
            wrong += ["epoch %d, %s: %s" % (epoch, name, field) for field in bad]
            count += 1
    store.close()
    for name, score in newest.items():
        shown = profile(name)["score"]
        wrong += ["profile of %s: %s is %s, not %s" % (name, a, shown[a], score[b]) for a, b in SHOWN.items() if shown[a] != score[b]]
    return count, wrong


if __name__ == "__main__":  # recompute.py HOME ASSIZE
    import subprocess

    def profile_of(name):
        return json.loads(subprocess.run([sys.argv[2], "--home", sys.argv[1], "--json", "profile", name], stdout=subprocess.PIPE, check=True).stdout)

    checked, differences = recompute(sys.argv[1], profile_of)
    print("%d records recomputed%s" % (checked, "".join("\n" + line for line in differences)))
    sys.exit(1 if differences or not checked else 0)
