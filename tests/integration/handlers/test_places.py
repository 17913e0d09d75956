"""A page's place in its list is exact, whatever was added or ended since the page before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from bot.turns.host import TurnHost
from flows.engine.host import Place, View
from services.domain.money import Money
from services.domain.proposal import Proposal, ProposalKind, Resolution
from tests.integration.handlers.test_what_waits import host, store
from tests.kit.plain_store import PlainStore

__all__ = ["store"]  # a fixture

TODAY = date(2026, 3, 2)


def days(store: PlainStore, count: int) -> None:
    for n in range(count):
        day = TODAY - timedelta(days=n)
        store.do(lambda tx, day=day: tx.reconciliations.save_day(day, "test", has_ended=True))


def reviews(store: PlainStore, count: int) -> None:
    for n in range(count):
        store.do(lambda tx, n=n: tx.evidence.open_review(f"NT-{n:06d}", "unknown"))
        store.wait(seconds=1)


def broadcasts(store: PlainStore, count: int) -> None:
    for n in range(count):
        reference = f"BC-{n:06d}"
        assert store.do(
            lambda tx, own=reference: tx.broadcasts.add(own, "words", "admin:telegram:1")
        )
        store.do(lambda tx, own=reference: tx.broadcasts.end(own, "DONE"))
        store.wait(seconds=1)


def proposals(store: PlainStore, count: int) -> None:
    store.person()  # of the partner DEMO
    for n in range(count):
        proposal = Proposal(
            id=f"PR-{n:06d}",
            kind=ProposalKind.ADJUST,
            partner="DEMO",
            about=f"AD-{n:06d}",
            resolution=Resolution.CREDIT,
            amount=Money(100),
            reason="a test of the list",
            proposed_by="admin:telegram:2",
            proposed_at=store.now,
        )
        assert store.do(lambda tx, proposal=proposal: tx.proposals.add(proposal))
        store.wait(seconds=1)


def floods(store: PlainStore, count: int) -> None:
    for n in range(count):
        store.do(lambda tx, n=n: tx.floods.note("telegram", str(n), tx.now))


def pages(host: TurnHost, view: str, towards: str) -> list[Place | None]:
    """The place of each page, turned by the cursors that the pages give."""
    places, cursor = [], None
    while True:
        page: View = host.load_view(view, {}, cursor)
        places.append(page.place)
        cursor = getattr(page, towards)
        if not cursor:
            return places


@pytest.mark.parametrize(
    ("fill", "view", "towards", "count", "places"),
    [
        (days, "days", "more", 30, [Place(1, 14, 30), Place(15, 28, 30), Place(29, 30, 30)]),
        (days, "days", "more", 14, [Place(1, 14, 14)]),
        (reviews, "pending", "newer", 13, [Place(1, 6, 13), Place(7, 12, 13), Place(13, 13, 13)]),
        (broadcasts, "broadcasts", "more", 6, [Place(1, 5, 6), Place(6, 6, 6)]),
        (proposals, "proposals", "more", 9, [Place(1, 8, 9), Place(9, 9, 9)]),
        (floods, "floods", "more", 31, [Place(1, 10, 31)]),
        (reviews, "pending", "newer", 0, [None]),
        (days, "days", "more", 0, [None]),
    ],
)
def test_each_page_says_where_it_stands(
    store: PlainStore,
    fill: Callable[[PlainStore, int], None],
    view: str,
    towards: str,
    count: int,
    places: list[Place | None],
) -> None:
    fill(store, count)
    assert pages(host(store), view, towards) == places


def test_what_was_added_before_a_page_is_counted(store: PlainStore) -> None:
    broadcasts(store, 6)
    older = host(store).load_view("broadcasts", {}, None).more
    assert store.do(lambda tx: tx.broadcasts.add("BC-222222", "words", "admin:telegram:1"))
    assert host(store).load_view("broadcasts", {}, older).place == Place(7, 7, 7)


def test_what_ended_before_a_page_is_not(store: PlainStore) -> None:
    reviews(store, 8)
    newer = host(store).load_view("pending", {}, None).newer
    store.do(lambda tx: tx.evidence.close_reviews("NT-000000"))
    assert host(store).load_view("pending", {}, newer).place == Place(6, 7, 7)
