"""Which of the simulated Daraja's calls can meet which fault."""

from __future__ import annotations

from bot.simulation.faults import FaultKind

PAYOUT, STATUS, BALANCE, TOKEN = "payout", "payout-status", "payout-balance", "payout-token"
CALLS = (TOKEN, PAYOUT, STATUS, BALANCE)
_WITH_RESULT = (PAYOUT, STATUS, BALANCE)

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
        FaultKind.SPIKE_ARREST,
        FaultKind.QUOTA,
    ),
    CALLS,
) | {
    FaultKind.TOKEN_GONE: _WITH_RESULT,
    FaultKind.SYSTEM_ERROR: _WITH_RESULT,
    FaultKind.QUEUE_TIMEOUT: _WITH_RESULT,
    FaultKind.RESULT: _WITH_RESULT,
    FaultKind.SAYS_FAILED: _WITH_RESULT,
    FaultKind.CONTRADICTS: (PAYOUT,),
    FaultKind.DUPLICATE: (PAYOUT,),
}
