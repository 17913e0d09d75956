"""Nobody calls what their role does not allow, or touches what is another partner's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.handlers.declaring import Handlers
from bot.turns import authorisation
from bot.turns import host as host_module
from bot.turns.registry import HANDLERS
from flows.engine.declarations import HandlerKind
from services import ownership
from services.domain.partner import Right, Role
from tests.kit.access import Access, Actor
from tests.kit.plain_store import PlainStore

OWNER = Actor(Role.OWNER)


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    store = PlainStore(tmp_path / "hazina.db")
    yield Access(store)
    store.close()


def test_everybody_calls_what_their_role_allows_and_nothing_else(access: Access) -> None:
    assert access.mistakes() == set()


def test_nobody_touches_what_is_another_partners(access: Access) -> None:
    assert access.reached_by_others() == set()


@pytest.mark.parametrize("reference", ["TU-222222", "FL-222222", "CH-222222", "", "0"])
def test_what_is_nobodys_is_not_touched_either(access: Access, reference: str) -> None:
    handler = HANDLERS[HandlerKind.ACTION, "check_operation"]
    assert access.is_called(handler, OWNER, access.own)
    assert not access.is_called(handler, OWNER, reference)


def test_whoever_names_what_is_anothers_is_noted(access: Access) -> None:
    for _ in range(3):
        access.is_called(HANDLERS[HandlerKind.ACTION, "check_topup"], OWNER, access.foreign)
    noted = access.store.count("SELECT count(*) FROM audit_log WHERE act = 'strange'")
    told = access.store.count("SELECT count(*) FROM outbox WHERE kind = 'notice'")
    assert (noted, told) == (3, 1)


# Mistakes that these tests must notice


@pytest.mark.parametrize(
    ("kind", "name", "needs", "wronged"),
    [
        (HandlerKind.USE_CASE, "set_second", Right.VIEW, "operator"),
        (HandlerKind.USE_CASE, "approve_float", None, "viewer"),
        (HandlerKind.USE_CASE, "add_partner", Right.SET_RULES, "owner"),
        (HandlerKind.VIEW, "balance", None, "stranger"),
    ],
)
def test_a_right_that_was_dropped_is_noticed(
    access: Access,
    monkeypatch: pytest.MonkeyPatch,
    kind: HandlerKind,
    name: str,
    needs: Right | None,
    wronged: str,
) -> None:
    wrong = Handlers(HANDLERS)
    wrong._by_name[kind, name] = replace(HANDLERS[kind, name], needs=needs)
    monkeypatch.setattr(host_module, "HANDLERS", wrong)
    found = access.mistakes()
    assert {handler for handler, _ in found} == {name}
    assert (name, wronged) in found


def test_a_check_that_is_skipped_is_noticed(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorisation, "check_access", lambda *_: None)
    assert ("start_topup", "viewer") in access.mistakes()
    assert ("balance", "stranger") in access.mistakes()


def test_a_partner_that_is_not_checked_is_noticed(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = access.person.partner.code
    monkeypatch.setattr(ownership, "partner_of", lambda tx, reference: own)
    assert {"check_topup", "operation", "approve_float"} <= access.reached_by_others()
