"""Every flow of this program, in the order of the main menu."""

from __future__ import annotations

from flows.look import BALANCE, HISTORY
from flows.session import Flows
from flows.topup import TOPUP


def all_flows() -> Flows:
    return Flows(TOPUP, BALANCE, HISTORY)
