"""Paging through a partner's history shows everything once and in order, whatever arrives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import topups
from services.domain.money import Money
from services.domain.partner import Person
from services.domain.topup import TopUp
from services.history import PAGE, Page, page
from tests.kit.plain_store import PHONE, PlainStore

gaps_ms = st.lists(st.sampled_from([0, 0, 1, 1000]), max_size=4 * PAGE)  # many at the same time
few = st.integers(0, PAGE + 1)
FIXTURES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()


class Shop:
    """A partner with operations, and another partner whose operations must not show."""

    def __init__(self, store: PlainStore, seed: int) -> None:
        store.undo()
        self.store = store
        self.random = random.Random(seed)
        self.demo, self.acme = store.person("DEMO"), store.person("ACME")
        self._events = 0
        self._demos: list[str] = []  # in the order in which they began

    def begin(self, person: Person) -> None:
        self._events += 1
        topup = self.store.do(
            lambda tx: topups.start(
                tx, self.random, person, "terminal", "1", str(self._events), Money(100), PHONE,
                again=True,
            )
        )  # fmt: skip
        assert isinstance(topup, TopUp)
        if person is self.demo:
            self._demos.append(topup.reference)

    def add(self, gap_ms: int) -> None:
        self.store.now += timedelta(milliseconds=gap_ms)
        self.begin(self.demo)
        self.begin(self.acme)

    def page(self, cursor: str | None) -> Page:
        return self.store.do(lambda tx: page(tx, "DEMO", cursor))

    def all(self) -> list[str]:
        """All references, newest first."""
        return self._demos[::-1]


def _references(shown: Page) -> list[str]:
    return [operation.reference for operation in shown.operations]


def _older(shop: Shop) -> list[Page]:
    pages = [shop.page(None)]
    while (cursor := pages[-1].older) is not None:
        pages.append(shop.page(cursor))
        assert len(pages) < 100
    return pages


@FIXTURES
@given(gaps=gaps_ms, seed=st.integers(0, 999))
def test_walking_older_shows_each_operation_once_in_order(
    store: PlainStore, gaps: list[int], seed: int
) -> None:
    shop = Shop(store, seed)
    for gap in gaps:
        shop.add(gap)
    shown = [reference for shown in _older(shop) for reference in _references(shown)]
    assert shown == shop.all()


@FIXTURES
@given(gaps=gaps_ms, seed=st.integers(0, 999))
def test_no_page_is_empty_or_too_long_and_only_the_last_is_short(
    store: PlainStore, gaps: list[int], seed: int
) -> None:
    shop = Shop(store, seed)
    for gap in gaps:
        shop.add(gap)
    pages = _older(shop)
    assert all(len(shown.operations) == PAGE for shown in pages[:-1])
    assert len(pages[-1].operations) <= PAGE
    assert bool(pages[-1].operations) == bool(gaps)


@FIXTURES
@given(gaps=gaps_ms, seed=st.integers(0, 999))
def test_walking_back_newer_leads_through_the_same_pages(
    store: PlainStore, gaps: list[int], seed: int
) -> None:
    shop = Shop(store, seed)
    for gap in gaps:
        shop.add(gap)
    there = _older(shop)
    back = [there[-1]]
    while (cursor := back[-1].newer) is not None:
        back.append(shop.page(cursor))
        assert len(back) <= len(there)
    assert [_references(shown) for shown in reversed(back)] == [_references(s) for s in there]


@FIXTURES
@given(gaps=gaps_ms, arrivals=st.lists(few, min_size=8, max_size=8), seed=st.integers(0, 999))
def test_what_arrives_meanwhile_does_not_shift_the_older_pages(
    store: PlainStore, gaps: list[int], arrivals: list[int], seed: int
) -> None:
    shop = Shop(store, seed)
    for gap in gaps:
        shop.add(gap)
    before = shop.all()
    shown = shop.page(None)
    seen = _references(shown)
    while (cursor := shown.older) is not None:
        for _ in range(arrivals[len(seen) % len(arrivals)]):
            shop.add(1)
        shown = shop.page(cursor)
        seen += _references(shown)
    assert seen == before


@FIXTURES
@given(gaps=gaps_ms, arrivals=st.lists(few, min_size=8, max_size=8), seed=st.integers(0, 999))
def test_walking_newer_misses_nothing_that_arrived_meanwhile(
    store: PlainStore, gaps: list[int], arrivals: list[int], seed: int
) -> None:
    shop = Shop(store, seed)
    for gap in gaps:
        shop.add(gap)
    shown = _older(shop)[-1]
    seen = _references(shown)
    for arriving in arrivals:
        if shown.newer is None:
            break
        for _ in range(arriving):
            shop.add(1)
        shown = shop.page(shown.newer)
        # The newest page is always full, so it may repeat operations already seen.
        seen = [reference for reference in _references(shown) if reference not in seen] + seen
        everything = shop.all()
        assert seen == everything[len(everything) - len(seen) :]
        assert (shown.newer is None) == (seen == everything)


@FIXTURES
@given(gaps=gaps_ms, seed=st.integers(0, 999))
def test_a_cursor_is_given_exactly_where_there_is_more(
    store: PlainStore, gaps: list[int], seed: int
) -> None:
    shop = Shop(store, seed)
    for gap in gaps:
        shop.add(gap)
    everything = shop.all()
    for shown in _older(shop):
        references = _references(shown)
        assert (shown.newer is not None) == (references[:1] != everything[:1])
        assert (shown.older is not None) == (references[-1:] != everything[-1:])


@pytest.mark.parametrize("cursor", ["<TU-222222", ">TU-222222"])
def test_a_cursor_that_was_never_given_leads_to_no_fault(store: PlainStore, cursor: str) -> None:
    shop = Shop(store, 1)
    shop.add(0)
    assert shop.page(cursor).older is None
