"""What owners and admins read of a key: its last use, and only their own partner's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.context import AppContext, TurnContext
from bot.handlers import api_keys as screens
from bot.handlers.admin.api_keys import SHOWN
from bot.security.keyring import Keyring
from bot.turns.host import TurnHost
from flows.engine.event import Event, EventKind
from flows.engine.host import Exit
from flows.engine.texts import Texts
from services import api_keys, ownership
from services.api_keys import CreatedKey
from services.domain.api_key import ApiKey, Scope
from services.domain.partner import Person
from services.domain.refusal import Refusal
from services.policy import NO_CODES
from tests.kit.channels import CHANNELS
from tests.kit.plain_store import START, PlainStore

EXPIRY = START + timedelta(days=300)
ADDRESS = "2001:db8:1111:2222:3333:4444:5555:6666"
EVENT = Event("telegram", "1", "1", EventKind.TAP)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()


@pytest.fixture
def owner(store: PlainStore) -> Person:
    return store.person()


def context() -> AppContext:
    keys = Keyring({"1": bytes(32)})
    return AppContext(Texts.load(), random.Random(1), keys, NO_CODES, channels=CHANNELS)


def turn_of(store: PlainStore, person: Person) -> TurnContext:
    return TurnContext(context(), store.tx, EVENT, person)


def make(store: PlainStore, partner: str, scopes: frozenset[Scope] = frozenset(Scope)) -> str:
    made = store.do(
        lambda tx: api_keys.create(tx, random.Random(partner), partner, scopes, 90, "admin:t:1")
    )
    assert isinstance(made, CreatedKey)
    return made.api_key.id


def test_the_list_says_when_and_from_where_a_key_was_used(store: PlainStore, owner: Person) -> None:
    key = make(store, "DEMO", frozenset({Scope.READ}))
    store.do(lambda tx: tx.api_keys.used(key, "192.0.2.7"))
    lines = screens.own_list(turn_of(store, owner)).facts["lines"]
    assert lines.endswith("last used 2 Mar 2026, 09:00 from 192.0.2.7")


@pytest.mark.parametrize("language", ["en", "sw"])
def test_the_longest_list_fits_a_message(store: PlainStore, owner: Person, language: str) -> None:
    """A Telegram message has 4,096 characters, and the rest of it needs some."""
    scopes = frozenset(Scope) - {Scope.WEBHOOKS}
    for n in range(SHOWN):
        key = ApiKey(f"hz_{n:06}", "DEMO", scopes, "admin:t:1", store.now, EXPIRY)
        store.do(lambda tx, key=key, n=n: tx.api_keys.add(key, str(n)))
        store.do(lambda tx, key=key: tx.api_keys.used(key.id, ADDRESS))
    view = screens.own_list(turn_of(store, replace(owner, language=language)))
    assert len(view.facts["lines"]) < 3_800


def test_a_key_of_another_partner_is_not_reached(store: PlainStore, owner: Person) -> None:
    store.person("OTHER")
    key = make(store, "OTHER")
    host = TurnHost(context(), store.tx, EVENT, owner, is_admin=False)
    for use_case in ("rotate_own_api_key", "revoke_own_api_key"):
        refused = host.run(use_case, {"key": key}, None)
        assert isinstance(refused, Refusal)
        assert refused.code == "not_yours"
    assert [one.id for one in store.tx.api_keys.of("OTHER")] == [key]
    assert host.suggest("own_living_api_keys", {}) == []
    assert store.count("SELECT count(*) FROM audit_log WHERE act = 'strange'") == 2


def test_a_key_is_its_partners(store: PlainStore) -> None:
    store.person()
    key = make(store, "DEMO")
    assert ownership.partner_of(store.tx, key) == "DEMO"
    assert ownership.partner_of(store.tx, "hz_222222") is None


def test_the_key_itself_is_in_no_audit_row_and_waits_sealed(
    store: PlainStore, owner: Person
) -> None:
    key = make(store, "DEMO")
    turn = turn_of(store, owner)
    rotated = store.do(lambda _: screens.rotate_own(turn, key))
    assert isinstance(rotated, Exit)
    facts = store.conn.execute("SELECT facts FROM audit_log").fetchall()
    assert facts == [(f'{{"days":90,"new":"{rotated.sets["new"]}"}}',)]
    assert [row.kind for row in turn.rows] == ["code"]
    assert "hz_" not in turn.rows[0].text


def test_a_successor_is_made_for_as_long_as_the_key_was(store: PlainStore, owner: Person) -> None:
    key = make(store, "DEMO")
    store.wait(days=80)
    rotated = store.do(lambda _: screens.rotate_own(turn_of(store, owner), key))
    assert isinstance(rotated, Exit)
    new = store.tx.api_keys.get(rotated.sets["new"])
    assert new is not None
    assert new.lifetime_days == 90
