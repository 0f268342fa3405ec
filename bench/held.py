# SPDX-License-Identifier: Apache-2.0
"""Memory that a running process holds; for the programs beside this one."""


def held_bytes(pid):
    """Resident memory and huge pages, which the first does not count; 0 once the process is gone."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii") as status:
            kib = dict(line.split()[:2] for line in status if line.startswith(("VmRSS:", "HugetlbPages:")))
    except OSError:
        return 0
    return 1024 * sum(int(value) for value in kib.values())
