"""The headings under which /help lists commands, in this order, each with its flows."""

from __future__ import annotations

from collections.abc import Mapping

HELP_GROUPS: Mapping[str, tuple[str, ...]] = {
    "money": (
        *("topup", "float", "pay", "recipients", "batch"),
        *("balance", "history", "statement", "approve"),
    ),
    "team": ("invite", "people", "unlink"),
    "own": ("settings", "block", "keys", "webhooks"),
    "partners": (
        *("partners", "partner", "newpartner", "suspend", "resume"),
        *("balanceof", "historyof", "export", "fees", "limits", "threshold", "apikey"),
    ),
    "decisions": ("pending", "find", "deciding", "resolve", "adjust", "days"),
    "persons": ("staff", "inviting", "unlinking", "otp", "blocking", "floods"),
    "desk": (
        "health",
        "payouts",
        "dashboard",
        "stats",
        "jobs",
        "cleanup",
        "audit",
        "broadcast",
        "broadcasts",
    ),
}
