#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the pages say what is there: links lead somewhere, lists are complete, no page knows somebody's machine. Speaks TAP.

A list of the code is an X-macro, `X(SYMBOL, "name", ...)` line by line; LISTS says which page claims to name every member of it.
A name counts as mentioned only in backquotes, so that a word of the text does not pass for an entry of a table."""
import os
import re
import sys

ROOT = os.environ.get("ASSIZE_SOURCE") or os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = (".c", ".h", ".cu", ".py", ".build", ".sh")

# (list, its file, how a member's documented name is found in an entry, page)
QUOTED = r'X\(\w+,\s*"([^"]+)"'
LISTS = (
    ("ASZ_COUNTER_LIST", "dataplane/base/counters.h", QUOTED, "docs/protocol.md"),
    ("ASZ_FAULT_LIST", "dataplane/base/faults.h", QUOTED, "docs/operating.md"),
    ("ASZ_PIPELINE_COUNTER_LIST", "control/pipeline.h", QUOTED, "docs/protocol.md"),
    ("ASZ_RESP_COUNTER_LIST", "control/responder/counters.h", QUOTED, "docs/protocol.md"),
    ("ASZ_REFLECT_COUNTER_LIST", "dataplane/reflector.h", QUOTED, "docs/responder.md"),
    ("ASZ_PROBE_LIST", "dataplane/engine.h", QUOTED, "docs/protocol.md"),
    ("ASZ_CHEAT_LIST", "dataplane/emulator/emulator.h", QUOTED, "docs/lab.md"),
    ("ASZ_LAB_ATTACK_LIST", "control/lab_attack.h", QUOTED, "docs/lab.md"),
    ("ASZ_SCENARIO_LIST", "control/scenario_private.h", r"X\((\w+),", "docs/lab.md"),
    ("ASZ_SCENARIO_FAULT_LIST", "control/scenario_private.h", r"X\((\w+),", "docs/lab.md"),
    ("ASZ_SCENARIO_DEVICE_LIST", "control/scenario_private.h", r"X\((\w+),", "docs/lab.md"),
    ("ASZ_SCENARIO_LAB_LIST", "control/scenario.h", r"X\((\w+),", "docs/lab.md"),
    ("ASZ_KIND_LIST", "dataplane/base/challenge.h", r'X\(\w+,\s*\d+,\s*"([^"]+)"', "docs/protocol.md"),
    ("ASZ_GEMM_PRESET_LIST", "dataplane/base/challenge.h", r'X\(\w+,\s*\d+,\s*"([^"]+)"', "docs/challenges.md"),
    ("ASZ_GEMM_REASON_LIST", "gpu/kinds/gemm.h", r'X\(\w+,\s*\d+,\s*"([^"]+)"', "docs/challenges.md"),
    ("ASZ_GEMM_CHEAT_LIST", "gpu/prove/cheat.h", QUOTED, "docs/challenges.md"),
    ("ASZ_ERR_LIST", "dataplane/base/err.h", r"X\((ASZ_E\w+)", "docs/architecture.md"),
    ("ASZ_CONFIG_LIST", "control/config.h", r"X\((\w+),\s*(\w+),", "docs/operating.md"),
    ("ASZ_CMD_LIST", "control/cmd.h", r"X\((\w+)\)", "docs/operating.md"),
    ("ASZ_PROVIDER_FIELD_LIST", "control/provider.h", r"X\((\w+),", "docs/operating.md"),
)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def walk(endings):
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "build")))
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def outside_code(text):
    """The text without fenced blocks and code spans, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def broken_links(pages):
    for page, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", outside_code(text)):
            path = target.split("#")[0]
            if re.match(r"[a-z]+:", target) or not path:
                continue
            if not os.path.exists(os.path.join(ROOT, os.path.dirname(page), path)):
                yield "%s links to %s" % (page, target)


def missing_paths(texts):
    """Mentions of scripts/x and docs/x. `docs/decisions/0002` stands for the page with that number."""
    for name, text in texts.items():
        for path in sorted(set(re.findall(r"(?<![\w./-])((?:scripts|docs)/[\w./-]*\w)", text))):
            if os.path.exists(os.path.join(ROOT, path)) or re.search(r"NNNN", path):
                continue
            folder, number = os.path.split(path)
            known = os.listdir(os.path.join(ROOT, folder)) if os.path.isdir(os.path.join(ROOT, folder)) else []
            if not (re.fullmatch(r"\d{4}", number) and any(k.startswith(number + "-") for k in known)):
                yield "%s mentions %s" % (name, path)


def members(name, path, pattern):
    """The documented names of a list: its #define up to the first line that does not go on."""
    match = re.search(r"#define %s\(X\)((?:.*\\\n)*.*)" % name, read(path))
    found = re.findall(pattern, match.group(1)) if match else []
    return [".".join(m) if isinstance(m, tuple) else m for m in found]


def commands_and_words(text):
    """Every word that stands in a code span, and every whole span."""
    spans = re.findall(r"`([^`\n]+)`", text)
    return set(spans) | {word for span in spans for word in re.split(r"[\s,|/=\\]+", span)}


def unlisted():
    for name, path, pattern, page in LISTS:
        names = members(name, path, pattern)
        if not names:
            yield "%s: no list %s found" % (path, name)
            continue
        if not os.path.exists(os.path.join(ROOT, page)):
            yield "%s is not there; it should list %s" % (page, name)
            continue
        mentioned = commands_and_words(read(page))
        for member in names:
            if member not in mentioned:
                yield "%s does not list `%s` of %s" % (page, member, name)


def machine_paths(pages):
    for page, text in pages.items():
        for path in re.findall(r"(?<![\w.~/-])/(?:home|root|tmp|work|Users)/[\w./-]*", text):
            yield "%s has the path %s" % (page, path)


def unfinished_decisions(pages):
    """Number, title, then a date and a status within the first lines."""
    numbers = {}
    for page, text in pages.items():
        if not page.startswith("docs/decisions/"):
            continue
        name, head = os.path.basename(page), "\n".join(text.splitlines()[:6])
        number = name[:4]
        if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name):
            yield "%s: expected NNNN-words.md" % page
        if not text.startswith("# %s: " % number):
            yield '%s: expected to open with "# %s: "' % (page, number)
        if not re.search(r"\b20\d\d-\d\d-\d\d\b", head):
            yield "%s: no date in its first lines" % page
        if not re.search(r"\b(proposed|accepted|rejected|superseded)\b", head, re.I):
            yield "%s: no status in its first lines" % page
        if number in numbers:
            yield "%s and %s have one number" % (numbers[number], page)
        numbers[number] = page
    if not numbers:
        yield "no decision found"


def lost_pages(pages):
    """Pages in docs/ that no other page links to."""
    linked = {
        os.path.normpath(os.path.join(os.path.dirname(page), target.split("#")[0]))
        for page, text in pages.items()
        for target in re.findall(r"\]\(([^)\s]+)\)", text)
    }
    for page in pages:
        if page.startswith("docs/") and page not in linked and os.path.dirname(page) not in linked:
            yield "nothing links to %s" % page


def readme_problems(pages):
    """The reader's first two commands stand first, and the page stays short."""
    lines = [line for line in pages.get("README.md", "").splitlines() if line.strip()]
    if [line.split(" ")[0] for line in lines[2:4]] != ["scripts/demo", "scripts/test"]:
        yield "README.md: expected title, then a block with scripts/demo and scripts/test"
    if pages.get("README.md", "").count("\n") > 150:
        yield "README.md: over 150 lines"


def main():
    pages = {path: read(path) for path in walk((".md",))}
    sources = {path: read(path) for path in walk(SOURCES) if path != "tests/test_docs.py"}
    checks = {
        "every_link_leads_somewhere": broken_links(pages),
        "every_script_and_page_that_a_page_mentions_exists": missing_paths(pages),
        "every_page_that_a_source_mentions_exists": missing_paths(sources),
        "every_list_of_the_code_is_complete_on_its_page": unlisted(),
        "no_page_knows_a_machine": machine_paths(pages),
        "every_decision_has_number_date_and_status": unfinished_decisions(pages),
        "every_page_can_be_reached": lost_pages(pages),
        "readme_opens_with_the_two_commands": readme_problems(pages),
    }
    failed = False
    print("TAP version 13\n1..%d" % len(checks))
    for number, (name, problems) in enumerate(checks.items(), 1):
        problems = list(problems)
        failed |= bool(problems)
        print("%sok %d - docs::%s" % ("not " if problems else "", number, name))
        for problem in problems:
            print("# " + problem)
    return 1 if failed else 0


sys.exit(main())
