#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`assize run` over AF_PACKET and veth, in namespaces of its own: what an interrupt, a kill, a second validator and a full disk leave behind. Speaks TAP."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import veth
from veth import Checks, Network, run, sh

ASSIZE, RESPONDER = sys.argv[1:3]
PROVIDERS = 8
checks = Checks("run")
check = checks.check


class AnyIp(Network):
    """10.88.1.0/24 is the providers'."""

    def __init__(self):
        super().__init__()
        sh("ip -n %s route add local 10.88.1.0/24 dev lo" % self.p)


class Validator(veth.Validator):
    def __init__(self, network, home):
        super().__init__(network, ASSIZE, home, time__epoch_s="6", store__snapshot_s="1")

    def start(self, *arguments):
        return subprocess.Popen(["ip", "netns", "exec", self.network.v, ASSIZE, "--home", self.home, "run", *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def last_epoch(self):
        return self.json("status").get("last_epoch") or {}


def wait_for_epoch(validator, number, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if validator.last_epoch().get("epoch", 0) >= number:
            return True
        time.sleep(0.2)
    return False


def log_is_sound(name, validator):
    done = validator.assize("log", "verify")
    check(name, done.returncode == 0, done.stdout + done.stderr)


def scenario(_, network, folder):
    validator = Validator(network, os.path.join(folder, "home"))
    done = validator.made
    check("init_makes_a_home", done.returncode == 0, done.stderr)
    public_key = done.stdout.split("public key")[1].split()[0]
    key = os.path.join(folder, "provider.key")
    provider_key = run(RESPONDER, "keygen", "--key", key).stdout.strip()
    for i in range(PROVIDERS):
        done = validator.assize("provider", "add", "p%d" % i, "--ip", "10.88.1.%d" % (i + 1), "--key", provider_key, "--device", str(i))
    check("providers_are_registered", done.returncode == 0, done.stderr)
    responder = subprocess.Popen(["ip", "netns", "exec", network.p, RESPONDER, "run", "--key", key, "--validator", public_key,
                                  "--rate-pps", "100000", "--challenge-rate", "10000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        interrupted(validator)
        second_refused(validator)
        killed(validator)
        unwritable(validator)
        whole(validator)
        changed(validator, provider_key)
        full_disk(validator, folder)
    finally:
        responder.terminate()
        responder.wait()


def interrupted(validator):
    process = validator.start()
    time.sleep(3.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    check("an_interrupt_ends_with_130", process.returncode == 130, errors)
    last = validator.last_epoch()
    check("an_interrupt_keeps_what_was_measured", last.get("epoch") == 1 and last.get("probes_answered", 0) > 0 and not last.get("complete"), last)
    log_is_sound("an_interrupt_leaves_a_sound_log", validator)


def second_refused(validator):
    process = validator.start()
    time.sleep(1.5)
    other = run("ip", "netns", "exec", validator.network.v, ASSIZE, "--home", validator.home, "run", "--epochs", "1")
    check("a_second_run_on_one_home_is_refused", other.returncode != 0 and other.stderr.count("\n") <= 2, other.stderr)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    check("the_first_one_is_not_disturbed", process.returncode == 130, process.returncode)


def cut_off(validator, seconds):
    """A run that is killed so long after its first snapshot."""
    snapshot = os.path.join(validator.home, "epoch.snapshot")
    process = validator.start()
    until = time.monotonic() + 20
    while not os.path.exists(snapshot) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(seconds)
    subprocess.run(["pkill", "-KILL", "-f", "--", "--home %s run" % validator.home], check=False)
    process.communicate(timeout=30)
    return snapshot


def one_line(done, code):
    return done.returncode == code and done.stderr.count("\n") == 1


def killed(validator):
    before = validator.last_epoch().get("epoch", 0)
    snapshot = cut_off(validator, 2.2)
    check("a_killed_epoch_is_not_in_the_store", validator.last_epoch().get("epoch") == before, validator.last_epoch())
    log_is_sound("a_kill_leaves_a_sound_log", validator)
    check("a_snapshot_is_nobody_elses_to_read", os.path.exists(snapshot) and os.stat(snapshot).st_mode & 0o777 == 0o600, snapshot)
    done = validator.assize("run")
    check("a_run_does_not_forget_it_unasked", one_line(done, 2) and "--resume" in done.stderr, done.stderr)
    with open(snapshot, "rb") as file:
        whole_file = file.read()
    for name, content in (("cut_short", whole_file[:-1]), ("damaged", whole_file[:200] + b"?" + whole_file[201:]),
                          ("of_another_version", whole_file[:8] + b"\0\0\0\7" + whole_file[12:]), ("that_is_none", b"something else\n")):
        with open(snapshot, "wb") as file:
            file.write(content)
        done = validator.assize("run", "--resume")
        check("a_snapshot_%s_is_refused" % name, one_line(done, 2) and "epoch.snapshot" in done.stderr, done.stderr)
    with open(snapshot, "wb") as file:
        file.write(whole_file)
    other_parameters(validator)
    resumed(validator, before + 1)
    with open(snapshot, "wb") as file:
        file.write(whole_file)
    done = validator.assize("run", "--resume")
    check("a_snapshot_of_a_closed_epoch_is_old", "is closed already" in done.stderr and not os.path.exists(snapshot), done.stderr)
    log_is_sound("an_epoch_is_closed_once", validator)


def other_parameters(validator):
    path = os.path.join(validator.home, "assize.conf")
    with open(path, encoding="ascii") as file:
        text = file.read()
    changed = text.replace("fault_bound_ppm = 500000", "fault_bound_ppm = 400000")
    with open(path, "w", encoding="ascii") as file:
        file.write(changed)
    done = validator.assize("run", "--resume")
    check("a_snapshot_of_other_parameters_is_refused", changed != text and one_line(done, 2) and "other parameters" in done.stderr, done.stderr)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def resumed(validator, epoch):
    """Outside of the network there is no port: the epoch is closed, and then the run fails."""
    added = validator.assize("provider", "add", "later", "--ip", "10.88.1.200")
    done = validator.assize("run", "--resume")
    last = validator.last_epoch()
    check("a_provider_that_came_since_is_no_hindrance", added.returncode == 0, added.stderr)
    check("a_killed_epoch_is_closed_from_its_snapshot", last.get("epoch") == epoch and not last.get("complete") and
          "closed from its snapshot" in done.stderr and "nothing is known" in done.stderr, "%s %s" % (last, done.stderr))
    busy = last.get("bottleneck")  # this machine could not follow, and says so: then nobody is judged
    check("and_the_rest_of_it_is_unjudged", 0 < last.get("slots_unjudged", 0) and (busy or last["slots_unjudged"] < 6), last)
    check("and_nobody_lost_what_was_in_flight", last.get("probes_answered", 0) > 0 and
          (busy or last.get("probes_answered") == last.get("probes_sent")), last)
    scores = [s for s in validator.json("scores").get("scores", []) if s["provider"] != "later"]
    check("and_everybody_was_up_in_what_is_judged", len(scores) == PROVIDERS and
          all(s["state"] == "up" or busy and s["state"] == "not judged" for s in scores), scores)
    log_is_sound("a_resumed_log_is_sound", validator)


def unwritable(validator):
    """Something stands in the snapshot's way: said once, counted, and the run goes on."""
    obstacle = os.path.join(validator.home, "epoch.snapshot.part")
    if os.path.exists(obstacle):  # the killed run may have been writing it; the next one writes over it
        os.remove(obstacle)
    os.mkdir(obstacle)
    process = validator.start("--epochs", "1")
    printed, errors = process.communicate(timeout=60)
    os.rmdir(obstacle)
    check("a_snapshot_that_cannot_be_written_is_named", errors.count("epoch.snapshot: cannot write: Is a directory") == 1, errors)
    check("and_the_run_goes_on", process.returncode == 0 and "could not be written" in printed, printed + errors)


def write_roster(validator, key, names):
    with open(os.path.join(validator.home, "roster.csv"), "w", encoding="ascii") as file:
        file.write("name,ip,key,device\n")
        for i in names:
            file.write("p%d,10.88.1.%d,%s,%d\n" % (i, i + 1, key, i))


def configure(validator, old, new):
    path = os.path.join(validator.home, "assize.conf")
    with open(path, encoding="ascii") as file:
        text = file.read()
    with open(path, "w", encoding="ascii") as file:
        file.write(text.replace(old, new))
    return old in text


def hang_up(validator):
    subprocess.run(["pkill", "-HUP", "-f", "--", "--home %s run" % validator.home], check=False)


def counted(printed, name):
    found = re.search(r"^%s +(\d+)" % name, printed, re.MULTILINE)
    return int(found.group(1)) if found else 0


def changed(validator, key):
    """Providers and rate change while it runs; what is wrong is refused and changes nothing."""
    write_roster(validator, key, range(PROVIDERS))
    check("a_roster_can_be_configured", configure(validator, "roster_file =", "roster_file = roster.csv"))
    before = validator.last_epoch().get("epoch", 0)
    process = validator.start("--epochs", "3")
    time.sleep(3)
    write_roster(validator, key, [0, 1, 1])
    hang_up(validator)
    time.sleep(0.5)
    write_roster(validator, key, range(1, PROVIDERS + 2))
    configure(validator, "source_port_base = 49152", "source_port_base = 40000")
    hang_up(validator)
    time.sleep(0.5)
    configure(validator, "source_port_base = 40000", "source_port_base = 49152")
    check("the_rate_is_in_the_file", configure(validator, "interval_ms = 100\n", "interval_ms = 50\n"))
    hang_up(validator)
    printed, errors = process.communicate(timeout=90)
    check("a_run_that_is_changed_ends_as_any", process.returncode == 0, printed + errors)
    check("a_wrong_roster_is_refused_in_one_line", errors.count("roster.csv:4: name: expected a unique one") == 1, errors)
    check("a_key_that_needs_a_restart_is_refused", errors.count("network.source_port_base: expected the value") == 1, errors)
    check("a_change_is_told", "9 providers, 2 of them new, 0 changed; 2 registered ones are not probed" in errors, errors)
    check("changes_are_counted", "changed 1 times, 2 changes refused" in printed, printed)
    last = validator.last_epoch()
    check("epochs_go_on_across_a_change", last.get("epoch") == before + 3 and last.get("complete"), last)
    sent = last.get("probes_sent", 0)
    check("the_new_rate_holds", 9 * 115 <= sent + counted(printed, "tx_not_sent") and sent <= 9 * 121, last)
    ours = sum(counted(printed, name) for name in ("rx_late", "rx_port_missed", "tx_dropped"))
    check("nothing_was_lost_across_a_change", 0 <= sent - last.get("probes_answered", 0) <= ours, "%s %s" % (last, printed))
    scores = {s["provider"]: s for s in validator.json("scores").get("scores", [])}
    check("who_is_not_in_it_rests", scores.get("p0", {}).get("epoch") == before + 1, scores.get("p0"))
    check("who_is_new_in_it_is_probed", scores.get("p9", {}).get("epoch") == before + 3 and scores["p9"]["state"] == "up", scores.get("p9"))
    check("and_nobody_is_down", all(scores["p%d" % i]["state"] == "up" for i in range(1, PROVIDERS + 2)), scores)
    log_is_sound("a_changed_runs_log_is_sound", validator)


def whole(validator):
    before = validator.last_epoch().get("epoch", 0)
    process = validator.start("--epochs", "2")
    printed, errors = process.communicate(timeout=60)
    last = validator.last_epoch()
    check("what_happened_is_counted_by_name", all(name in printed for name in ("tx_probes", "rx_answered", "challenges_sent")), printed)
    check("two_epochs_run_to_their_end", process.returncode == 0 and last.get("complete"), errors)
    check("no_number_is_used_twice", last.get("epoch", 0) == before + 2, last)
    check("a_closed_epoch_leaves_no_snapshot", not os.path.exists(os.path.join(validator.home, "epoch.snapshot")))
    scores = validator.json("scores").get("scores", [])
    scores = [s for s in scores if s["provider"] != "later"]
    check("every_provider_is_up", len(scores) == PROVIDERS and all(s["state"] == "up" for s in scores), scores)
    profile = validator.json("profile", "p3")
    check("challenges_were_answered_rightly", profile.get("correctness", {}).get("slots", 0) > 0 and profile["correctness"]["wrong"] == 0, profile)
    variation = (profile.get("score") or {}).get("variation", {})
    check("the_variation_of_each_way_is_told", variation.get("pairs", 0) > 0 and 0 < variation["forward_mean_ns"] <= variation["forward_max_ns"] and 0 < variation["backward_mean_ns"] < 10**9, variation)
    log_is_sound("the_log_is_sound_at_the_end", validator)


def full_disk(validator, folder):
    """The same validator on a file system that fills up: an error, no half-written store, and it goes on when there is room again."""
    small = os.path.join(folder, "small")
    os.mkdir(small)
    sh("mount -t tmpfs -o size=16m tmpfs %s" % small)
    try:
        home = os.path.join(small, "home")
        shutil.copytree(validator.home, home)
        moved = Validator(validator.network, home)
        before = moved.last_epoch().get("epoch")
        with open(os.path.join(small, "ballast"), "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"x" * 4096)
            except OSError:
                pass
        process = moved.start("--epochs", "1")
        _, errors = process.communicate(timeout=60)
        check("a_full_disk_is_an_error_of_the_machine", process.returncode == 3, "%d %s" % (process.returncode, errors))
        os.unlink(os.path.join(small, "ballast"))
        check("a_full_disk_leaves_the_store_as_it_was", moved.last_epoch().get("epoch") == before, moved.last_epoch())
        log_is_sound("a_full_disk_leaves_a_sound_log", moved)
        process = moved.start("--epochs", "1")
        _, errors = process.communicate(timeout=60)
        check("with_room_again_it_goes_on", process.returncode == 0, errors)
    finally:
        sh("umount %s" % small)


sys.exit(checks.main(scenario, kind=AnyIp))
