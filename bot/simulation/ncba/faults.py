"""Which of the simulated bank's calls can meet which fault."""

from __future__ import annotations

from bot.simulation.faults import FaultKind

CALLS = ("token", "initiate", "query", "float", "status", "qr")

MET_BY = dict.fromkeys(
    (
        FaultKind.REFUSE,
        FaultKind.HTTP,
        FaultKind.HTML,
        FaultKind.GARBAGE,
        FaultKind.TIMEOUT_BEFORE,
        FaultKind.TIMEOUT_AFTER,
        FaultKind.SLOW,
        FaultKind.REFUSE_AFTER,
        FaultKind.TOKEN_GONE,
        FaultKind.CONTRADICTS,
    ),
    CALLS,
) | {
    FaultKind.SAYS_FAILED: ("query", "status"),
    FaultKind.SAME_ID: ("initiate",),
    FaultKind.ONLY_ACCEPTED: ("float",),
    FaultKind.BOUNCES: ("float",),
    FaultKind.DUPLICATE: ("float",),
}
