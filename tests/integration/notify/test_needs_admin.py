"""Admins hear of what only they can bring further: each once, and not hundreds within an hour."""

from __future__ import annotations

import random
from typing import cast

import pytest

from bot.context import AppContext
from bot.notify.needs_admin import TOLD_SINGLY_MAX, queue_needs_admin
from bot.security.keyring import Keyring
from flows.engine.texts import Texts
from services.domain.bank import Rejected
from services.domain.mpesa import NEEDS_ADMIN, Reason
from services.domain.outbox import OutboxRow
from services.domain.topup import TopUpState
from services.policy import NO_CODES
from services.ports import Random
from tests.kit.channels import CHANNELS
from tests.kit.plain_store import PlainStore
from tests.kit.topup_driver import TopUpDriver, in_state

ADMINS = (("telegram", "1"), ("telegram", "2"))
DESK = AppContext(
    Texts.load(),
    cast("Random", random.Random(1)),
    Keyring({"1": bytes(32)}),
    NO_CODES,
    ADMINS,
    channels=CHANNELS,
)


@pytest.fixture
def worker(store: PlainStore) -> TopUpDriver:
    store.undo()
    return TopUpDriver(store)


def told(worker: TopUpDriver, reference: str) -> list[OutboxRow]:
    topup = worker.get(reference)
    return worker.store.do(lambda tx: queue_needs_admin(tx, DESK, topup))


@pytest.mark.parametrize("state", [TopUpState.SEND_UNKNOWN, TopUpState.UNKNOWN])
def test_every_admin_hears_of_what_nobody_knows(worker: TopUpDriver, state: TopUpState) -> None:
    reference = in_state(worker, state)
    rows = told(worker, reference)
    assert {(row.channel, row.address) for row in rows} == set(ADMINS)
    assert all(reference in row.text and f"/resolve {reference}" in row.text for row in rows)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_refusal_is_told_and_listed_only_if_it_is_ours_to_mend(
    worker: TopUpDriver, reason: Reason
) -> None:
    reference = worker.start()
    worker.sent(reference, Rejected(reason, "the bank's own words"))
    is_ours = reason in NEEDS_ADMIN
    assert len(told(worker, reference)) == (len(ADMINS) if is_ours else 0)
    reviews = worker.store.tx.evidence.open_review_reasons(reference)
    assert reviews == ([reason] if is_ours else [])


@pytest.mark.parametrize("state", [TopUpState.PAID, TopUpState.NOT_PAID, TopUpState.PENDING])
def test_nothing_is_told_of_what_goes_its_way(worker: TopUpDriver, state: TopUpState) -> None:
    assert told(worker, in_state(worker, state)) == []


def test_many_within_an_hour_are_announced_once(worker: TopUpDriver) -> None:
    texts = []
    for _ in range(TOLD_SINGLY_MAX + 3):
        rows = told(worker, in_state(worker, TopUpState.SEND_UNKNOWN))
        texts.append(rows[0].text if rows else None)
    assert all("clear answer" in str(text) for text in texts[:TOLD_SINGLY_MAX])
    assert "/pending" in str(texts[TOLD_SINGLY_MAX])
    assert texts[TOLD_SINGLY_MAX + 1 :] == [None, None]
    worker.store.wait(hours=1, seconds=1)
    assert told(worker, in_state(worker, TopUpState.SEND_UNKNOWN)) != []
