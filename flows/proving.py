"""Proving by a code who changes something: how it ends when the code does not pass."""

from __future__ import annotations

from flows.engine.nodes import End

# Exits of the Code node, with the End that each leads to.
EXITS = {
    "otp_expired": "code_expired",
    "otp_locked": "code_locked",
    "number_locked": "number_locked",
    "cancelled": "code_over",
    "undeliverable": "undeliverable",
}
ENDS = tuple(End(node, opens=("settings",)) for node in EXITS.values())
