"""A broadcast reaches each account of active partners exactly once, even if it is interrupted."""

from __future__ import annotations

import random
from collections import Counter
from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.context import AppContext
from bot.jobs.broadcast import queue_next_page
from bot.security.keyring import Keyring
from flows.engine.texts import Texts
from services import partners
from services.domain.partner import Partner, Role
from services.domain.phone import Phone
from services.policy import NO_CODES
from services.ports import Random
from storage.transaction import StoreTx
from tests.kit.channels import CHANNELS
from tests.kit.plain_store import PlainStore

CONTEXT = AppContext(
    Texts.load(),
    cast("Random", random.Random(1)),
    Keyring({"1": bytes(32)}),
    NO_CODES,
    channels=CHANNELS,
)


class Killed(Exception):
    pass


def seed(store: PlainStore, accounts: list[int], suspended: list[bool]) -> Counter[str]:
    """Add people with these numbers of accounts; returns who should receive the broadcast."""
    hear: Counter[str] = Counter()

    def fill(tx: StoreTx) -> None:
        partners.add(tx, Partner("OPEN"))
        partners.add(tx, Partner("SHUT", suspended=True))
        for n, (count, shut) in enumerate(zip(accounts, suspended, strict=False)):
            code = "SHUT" if shut else "OPEN"
            phone = Phone(f"2547{n:08d}")
            person = tx.people.add_person(code, f"p{n}", Role.OWNER, phone, None, "en")
            for account in range(count):
                tx.people.link("telegram", f"{n}-{account}", person)
                if not shut:
                    hear[f"{n}-{account}"] += 1

    store.do(fill)
    return hear


def told(store: PlainStore) -> Counter[str]:
    rows = store.conn.execute("SELECT address FROM outbox WHERE text LIKE '%hello all'")
    return Counter(address for (address,) in rows)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    accounts=st.lists(st.integers(0, 3), max_size=15),
    suspended=st.lists(st.booleans(), min_size=15, max_size=15),
    page=st.integers(1, 6),
    kills=st.lists(st.booleans(), max_size=40),
)
def test_everybody_hears_it_once(
    store: PlainStore, accounts: list[int], suspended: list[bool], page: int, kills: list[bool]
) -> None:
    store.undo()
    hear = seed(store, accounts, suspended)
    store.do(lambda tx: tx.broadcasts.add("BC-222222", "hello all", "admin:t:1"))
    assert store.do(lambda tx: tx.broadcasts.count_recipients()) == (
        {"telegram": hear.total()} if hear else {}
    )
    died = iter(kills)

    def one(tx: StoreTx) -> bool:
        _, goes_on = queue_next_page(tx, CONTEXT, page)
        if next(died, False):
            raise Killed
        return goes_on

    for _ in range(100):
        try:
            if not store.do(one):
                break
        except Killed:
            continue
    assert told(store) == hear
    broadcast = store.tx.broadcasts.get("BC-222222")
    assert broadcast is not None
    assert (broadcast.state, broadcast.told) == ("DONE", hear.total())


def test_after_a_stop_nobody_more_hears_it_and_another_may_begin(store: PlainStore) -> None:
    store.undo()
    seed(store, [1] * 6, [False] * 6)
    assert store.do(lambda tx: tx.broadcasts.add("BC-222222", "hello all", "admin:t:1"))
    assert not store.do(lambda tx: tx.broadcasts.add("BC-333333", "another", "admin:t:2"))
    store.do(lambda tx: queue_next_page(tx, CONTEXT, 2))
    assert store.do(lambda tx: tx.broadcasts.end("BC-222222", "STOPPED"))
    assert store.do(lambda tx: queue_next_page(tx, CONTEXT, 2)) == ([], False)
    assert not store.do(lambda tx: tx.broadcasts.end("BC-222222", "STOPPED"))
    assert told(store).total() == 2
    assert store.do(lambda tx: tx.broadcasts.add("BC-333333", "another", "admin:t:2"))
