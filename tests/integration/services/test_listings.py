"""Lists filter before they truncate, so no entry is pushed off by one that does not belong."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.context import AppContext, TurnContext
from bot.handlers import blocks as block_acts
from bot.handlers.admin import api_keys as keys_list
from bot.handlers.admin import floods as floods_list
from bot.security.keyring import Keyring
from flows.engine.event import Event, EventKind
from flows.engine.texts import Texts
from services import api_keys
from services.api_keys import CreatedKey
from services.domain.api_key import Scope
from services.domain.block import Block
from services.domain.phone import Phone
from services.policy import NO_CODES
from tests.kit.plain_store import PlainStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()


def admin(store: PlainStore) -> TurnContext:
    desk = AppContext(Texts.load(), random.Random(1), Keyring({"1": bytes(32)}), NO_CODES)
    return TurnContext(
        desk, store.tx, Event("telegram", "1", "1", EventKind.TEXT), None, is_admin=True
    )


def test_a_key_that_opens_something_is_listed_behind_any_number_that_are_over(
    store: PlainStore,
) -> None:
    store.person()

    def make() -> str:
        made = store.do(
            lambda tx: api_keys.create(
                tx, random.Random(str(store.now)), "DEMO", [Scope.READ], 9, "a"
            )
        )
        assert isinstance(made, CreatedKey)
        store.wait(seconds=1)
        return made.api_key.id

    living = make()
    for _ in range(keys_list.SHOWN + 1):
        over = make()
        store.do(lambda tx, over=over: tx.api_keys.revoke(over))
    shown = keys_list.listed(admin(store), "DEMO").facts["lines"]
    assert shown.count("\n") == keys_list.SHOWN - 1
    assert shown.startswith(living)


def test_who_is_silent_can_be_let_go_whoever_was_asked_to_slow_down_since(
    store: PlainStore,
) -> None:
    store.do(lambda tx: tx.floods.note("telegram", "700", tx.now + timedelta(hours=1)))
    for n in range(floods_list.SHOWN):
        store.wait(minutes=1)
        store.do(lambda tx, n=n: tx.floods.note("telegram", f"80{n}", tx.now))
    view = floods_list.listed(admin(store))
    assert [reference for reference, _ in view.items] == ["telegram-700"]


def test_a_number_that_was_blocked_is_offered_behind_any_that_many_have_blocked(
    store: PlainStore,
) -> None:
    def block(phone: str, partner: str) -> None:
        store.do(lambda tx: tx.blocks.add(Block(Phone(phone), partner, "a", tx.now)))
        store.wait(seconds=1)

    block("254722000001", "DEMO")
    for n in range(block_acts.SHOWN + 1):
        block("254722000002", f"P{n}")
    offered = block_acts.desk_phones(admin(store))
    assert offered == [Phone("254722000002"), Phone("254722000001")]
