"""Top-ups at the bank: what they have of their own beside ``MoneyWorker``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bot.notify.notifier import Notifier
from bot.workers.money_worker import CallLimits, Record
from services import topup_settlement
from services.domain.bank import InitiateAnswer, NotSent, Prompt, QueryAnswer, Ready
from services.domain.lease import Lease
from services.domain.mpesa import NEEDS_ADMIN
from services.domain.operation import OperationType
from services.domain.outbox import OutboxRow
from services.domain.topup import TopUp, TopUpState
from services.ports import Collections, Random, Tx
from services.topup_settlement import ChangeKind, TopUpChange

_log = structlog.get_logger(__name__)

# Longer than token and request (20 s each), both repeated (refused token), and the commits.
LIMITS = CallLimits(lease=timedelta(seconds=120), sends_max=128, queries_max=512)
ADMIN_STATES = frozenset({TopUpState.SEND_UNKNOWN, TopUpState.UNKNOWN})
ADMIN_REASONS = NEEDS_ADMIN | {"bank_down"}


class TopUpKind:
    """An ``OperationKind``: the request is a prompt, and a query asks how the prompt ended."""

    name = OperationType.TOPUP

    def __init__(
        self,
        collections: Collections,
        random: Random,
        notifier: Notifier,
        limits: CallLimits = LIMITS,
    ) -> None:
        self.limits = limits
        self._collections = collections
        self._random = random
        self._notifier = notifier

    def claim(
        self, tx: Tx, lease: Lease, sends: int, queries: int
    ) -> tuple[Sequence[TopUp], Sequence[TopUpChange]]:
        return topup_settlement.claim(tx, lease, sends, queries)

    def is_to_send(self, claimed: TopUp) -> bool:
        return claimed.state is TopUpState.CREATED

    async def prepare(self) -> Ready | NotSent:
        return await self._collections.prepare()

    def begin_sending(self, tx: Tx, claimed: TopUp, lease: Lease) -> TopUp | None:
        return topup_settlement.begin_sending(tx, claimed, lease)

    async def send(self, ready: Ready, sending: TopUp) -> InitiateAnswer:
        prompt = Prompt(sending.reference, sending.phone, sending.amount)
        return await self._collections.initiate(ready, prompt)

    def record_answer(
        self, operation: TopUp, answer: InitiateAnswer, milliseconds: int
    ) -> Record[TopUpChange]:
        spread = self._random.uniform(-1, 1)
        return lambda tx: topup_settlement.record_initiate(
            tx, operation, answer, milliseconds, spread
        )

    async def query(self, claimed: TopUp) -> QueryAnswer:
        assert claimed.bank_id is not None
        return await self._collections.query(claimed.bank_id)

    def record_status(
        self, claimed: TopUp, status: QueryAnswer, milliseconds: int
    ) -> Record[TopUpChange]:
        spread = self._random.uniform(-1, 1)
        return lambda tx: topup_settlement.record_query(tx, claimed, status, milliseconds, spread)

    def messages(self, tx: Tx, change: TopUpChange) -> Sequence[OutboxRow]:
        return self._notifier.topup(tx, change)

    def log(self, change: TopUpChange) -> None:
        if change.kind is not ChangeKind.OUTCOME:
            return
        topup = change.topup
        wants_admin = topup.state in ADMIN_STATES or topup.reason in ADMIN_REASONS
        log = _log.warning if wants_admin else _log.info
        log("top-up settled", reference=topup.reference, state=topup.state, reason=topup.reason)
