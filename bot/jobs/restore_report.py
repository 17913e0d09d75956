"""On the first start after a restore, reports operations whose outcome is unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.context import AppContext, queue_admin_notices
from bot.notify.notifier import Notifier
from bot.outbox.carriers import SMS
from bot.outbox.database_retries import PushRows
from services import spending
from services.domain.float_purchase import PurchaseState
from services.domain.outbox import OutboxRow
from services.domain.payout import Payout, PayoutState
from services.domain.payout_batch import Batch
from services.domain.restore import Restore
from services.domain.spending import Spending
from services.domain.topup import TopUpState
from services.float_settlement import PurchaseChange
from services.payout_settlement import PayoutChange
from services.ports import Tx
from services.ports.database import Database
from services.topup_settlement import ChangeKind, TopUpChange

_log = structlog.get_logger(__name__)

SHOWN = 10  # references per notice; the log has all of them


class RestoreReport:
    """Reports what ``storage.after_restore`` found when the database was opened, which another
    command may have done before this start."""

    def __init__(
        self, database: Database, context: AppContext, tell: Notifier, push: PushRows
    ) -> None:
        self._database = database
        self._context = context
        self._notifier = tell
        self._push = push

    async def announce(self) -> None:
        """Report each restore once, to the log, the admins and the people concerned."""

        def all_of_it(tx: Tx) -> tuple[list[Restore], list[OutboxRow]]:
            restores = tx.restores.unannounced()
            return restores, [row for restore in restores for row in self._rows(tx, restore)]

        if not await self._database.read(lambda tx: tx.restores.unannounced()):
            return
        restores, rows = await self._database.write(all_of_it)
        for restore in restores:
            _log.warning(
                "restored from a backup: what may have been sent since is unknown until the bank"
                " says, and is not sent again",
                made_at=restore.made_at.isoformat(),
                topups=restore.found["topups"],
                purchases=restore.found["purchases"],
                payouts=_references(restore, "payouts"),
                ended=restore.found["ended"],
            )
        self._push(rows)

    def _rows(self, tx: Tx, restore: Restore) -> list[OutboxRow]:
        tx.restores.told(restore.id)
        rows = queue_admin_notices(tx, self._context, "notice.restored", _facts(restore))
        for reference in _references(restore, "topups"):
            topup = tx.topups.get(reference)
            if topup is not None and topup.state is TopUpState.SEND_UNKNOWN:
                rows += self._notifier.topup(tx, TopUpChange(topup, ChangeKind.OUTCOME))
        for reference in _references(restore, "purchases"):
            purchase = tx.purchases.get(reference)
            if purchase is not None and purchase.state is PurchaseState.UNKNOWN:
                rows += self._notifier.purchase(tx, PurchaseChange(purchase))
        for reference in _references(restore, "payouts"):
            payout = tx.payouts.get(reference)
            if payout is not None and payout.state is PayoutState.UNKNOWN:
                rows += self._notifier.payout(tx, PayoutChange(payout))
        for reference in _references(restore, "ended"):
            ended = spending.get(tx, reference)
            assert ended is not None
            rows += self._ended(tx, ended, restore)
        return rows

    def _ended(self, tx: Tx, ended: Spending, restore: Restore) -> list[OutboxRow]:
        """Tell the person who confirmed it, if still linked, that money may have moved."""
        person = tx.people.at(ended.channel, ended.address)
        if person is None or person.id != ended.person_id:
            return []
        account = self._context.account_to_tell(tx, ended.channel, ended.address)
        if account is None:
            return []
        facts: dict[str, Any] = {
            "reference": ended.reference,
            "amount": ended.amount,
            "at": restore.made_at,
        }
        key = "notice.restored_float"
        if isinstance(ended, Payout):
            key, facts["payee"] = "notice.restored_payout", ended.recipient
        if isinstance(ended, Batch):
            key, facts["count"] = "notice.restored_batch", ended.rows
        text = self._context.texts.say(ended.language, key, facts)
        return [
            tx.outbox.add(
                *account,
                kind="receipt",
                text=text,
                fallback=None if account[0] == SMS else person.phone.msisdn,
            )
        ]


def _references(restore: Restore, kind: str) -> Sequence[str]:
    found = restore.found.get(kind, [])  # a restore before there were payouts found none
    assert not isinstance(found, int)
    return found


def _facts(restore: Restore) -> Mapping[str, Any]:
    facts: dict[str, Any] = {"at": restore.made_at, "payouts": 0}
    for kind, found in restore.found.items():
        facts[kind] = found if isinstance(found, int) else len(found)
    ended = _references(restore, "ended")
    more = ["…"] if len(ended) > SHOWN else []
    facts["references"] = ", ".join([*ended[:SHOWN], *more]) or "-"
    return facts
