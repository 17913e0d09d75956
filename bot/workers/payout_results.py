"""Takes in what M-PESA posts about payouts, in one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bot.notify.notifier import Notifier
from bot.workers.payouts import log_change
from services import payout_results
from services.domain.outbox import OutboxRow
from services.domain.payout_answers import PaidOut, PayoutOrder, Undecided
from services.gateways.daraja.result_wire import (
    Result,
    balances_in,
    judge_payment,
    judge_status,
    read_result,
)
from services.payout_results import RESULT, TIMEOUT, PostedResult
from services.payout_settlement import PayoutChange
from services.policy import Policy
from services.ports import Tx
from services.ports.database import Database


class PayoutResults:
    """``push`` receives committed messages to send; ``wake`` has the payouts' worker look again."""

    def __init__(
        self,
        database: Database,
        policy: Policy,
        notifier: Notifier,
        push: Callable[[Sequence[OutboxRow]], None],
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._policy = policy
        self._notifier = notifier
        self._push = push
        self._wake = wake

    async def record_result(self, body: bytes) -> None:
        """Committed when it returns, whatever it is."""
        await self._record(RESULT, body)

    async def record_timeout(self, body: bytes) -> None:
        """The same, of a message that something was not processed in time."""
        await self._record(TIMEOUT, body)

    async def _record(self, kind: str, body: bytes) -> None:
        read = read_result(body)
        said = None if read is None else posted(read)

        def take(tx: Tx) -> tuple[PayoutChange | None, list[OutboxRow]]:
            taken = payout_results.take(tx, self._policy, kind, body, said)
            rows = [] if taken.change is None else self._notifier.payout(tx, taken.change)
            if taken.short is not None:
                rows += self._notifier.utility_short(tx, taken.short)
            return taken.change, rows

        change, rows = await self._database.write(take)
        self._push(rows)
        self._wake()
        if change is not None:
            log_change(change)


def posted(result: Result) -> PostedResult:
    def status(order: PayoutOrder, conversation_id: str | None) -> PaidOut | Undecided:
        return judge_status(result, order, conversation_id)

    return PostedResult(
        originator_id=result.originator_id,
        conversation_id=result.conversation_id,
        occasion=result.occasion,
        answers_query="transactionstatus" in result.values,
        judge_payment=partial(judge_payment, result),
        judge_status=status,
        balances=balances_in(result),
    )
