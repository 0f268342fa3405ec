# SPDX-License-Identifier: Apache-2.0
"""What the tests of `assize lab` share. Claims that compare times depend on how busy the machine is: they get up to TRIES runs. All others must hold in the first."""
TIMING = ("the fastest tenth shows the way", "the median RTT is the true one", "the delay varies forward as it truly does", "the delay varies backward as it truly does",
          "slow: is measured slow", "clock-liar: gains nothing",
          "floor: is measured at the floor, all alike")
TRIES = 3


def failed_claims(report):
    return [claim["name"] for claim in report["claims"] if not claim["ok"]] if report else ["no report"]
