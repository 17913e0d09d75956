"""Whether what was decided on phones was decided by somebody who saw what they answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot.storm.broken_invariant import BrokenInvariant
from bot.storm.dialling.phone_user import SentHop
from services.domain.ussd import CHANNEL
from services.ports import Tx
from storage.raw import connection


class Decided(NamedTuple):
    """A top-up that was begun on a phone, or a purchase that was authorised there."""

    reference: str
    phone: str
    amount_cents: int


def decided_on_phones(tx: Tx) -> list[Decided]:
    """Everything since the world began."""
    rows = connection(tx).execute(
        "SELECT w.reference, w.address, w.amount_cents FROM wallet_transactions AS w"
        " LEFT JOIN float_purchases AS f ON f.reference = w.reference"
        " WHERE w.channel = ? AND (w.type = 'topup' OR f.authorised_at IS NOT NULL)",
        (CHANNEL,),
    )
    return [Decided(*row) for row in rows]


class Decisions:
    """Remembers what was decided until the last look."""

    def __init__(self) -> None:
        self._known: set[Decided] = set()

    def check(self, decided: Sequence[Decided], heard: Sequence[SentHop]) -> list[BrokenInvariant]:
        """Each by one hop, that answered a page which asked for just that; ``heard`` are the hops
        since the last look, whose people still see the page before."""
        found = []
        by_phone = {sent.user.phone: sent for sent in heard if sent.answers is not None}
        for one in decided:
            if one in self._known:
                continue
            self._known.add(one)
            sent = by_phone.pop(one.phone, None)
            if sent is None:
                words = f"{one.reference} was decided by no hop that could"
                found.append(BrokenInvariant("unseen", words))
                continue
            user, amount = sent.user, f"KES {one.amount_cents // 100:,}"
            screen = user.screen
            if screen is None or not screen.decides or amount not in "\n".join(screen.pages):
                words = f"{one.reference} of {amount} was decided from {user.page}"
                found.append(BrokenInvariant("unseen", words))
            if user.asks_pin and sent.answers != user.pin:
                found.append(BrokenInvariant("code", f"a wrong PIN has decided {one.reference}"))
        return found
