"""Top-ups that wait for their payers, and what becomes of them, without a bank."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import cast

from bot.bench.program import Person
from bot.channels.telegram.wire import CHANNEL
from services import topup_settlement, topups
from services.domain.money import Money
from services.domain.topup import TopUp, TopUpState
from services.ports import Random, Tx


def begin(tx: Tx, person: Person, numbers: Sequence[int]) -> list[str]:
    """Accepted prompts, about which the bank is not asked for a day; their references."""
    dice = cast("Random", random.Random(numbers[0]))
    who = tx.people.at(CHANNEL, person.address)
    assert who is not None
    references = []
    for n in numbers:
        topup = topups.start(
            tx,
            dice,
            who,
            CHANNEL,
            person.address,
            f"seeded-{n}",
            Money(1_000),
            who.phone,
            again=True,
        )
        assert isinstance(topup, TopUp)
        sending = topup.transition_to(TopUpState.SENDING, sent_at=tx.now)
        due_at = tx.now + timedelta(days=1)
        tx.topups.save(sending.transition_to(TopUpState.PENDING, bank_id=f"STK-{n}", due_at=due_at))
        references.append(topup.reference)
    return references


def refuse(tx: Tx, references: Sequence[str]) -> None:
    """The payers have cancelled their prompts."""
    for topup in _each(tx, references):
        tx.topups.save(
            topup.transition_to(
                TopUpState.NOT_PAID, reason="cancelled", settled_at=tx.now, due_at=None
            )
        )


def pay(tx: Tx, references: Sequence[str]) -> None:
    """The money is there, be it late."""
    for topup in _each(tx, references):
        topup_settlement.settle_without_receipt(tx, topup, "paid", "bench")


def _each(tx: Tx, references: Sequence[str]) -> Iterator[TopUp]:
    for reference in references:
        topup = tx.topups.get(reference)
        assert topup is not None
        yield topup
