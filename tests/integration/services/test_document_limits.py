"""Limits on document requests: waiting per person, and made per hour for a person or a partner."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import cast

import pytest

from bot.context import ADMIN_FACTOR, AppContext, TurnContext
from bot.handlers import statement
from bot.handlers.statement import HOUR_MAX, PARTNER_HOUR_MAX, WAITING_MAX
from bot.security.keyring import Keyring
from flows.engine.event import Event, EventKind
from flows.engine.host import OperationStarted
from flows.engine.texts import Texts
from services.domain.document import DocumentFormat, Period
from services.domain.partner import Role
from services.domain.phone import Phone
from services.domain.refusal import Refusal
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
DAYS = Period(date(2026, 3, 1), date(2026, 3, 1))
ADMIN = "1"


class DocumentRequests:
    """A partner whose people ask for documents; ``makes`` completes those waiting."""

    def __init__(self, store: PlainStore) -> None:
        store.undo()
        store.person()
        self.store = store

    def joins(self, address: str) -> None:
        def join(tx: StoreTx) -> None:
            phone = Phone("254712345678")
            person = tx.people.add_person("DEMO", f"p{address}", Role.VIEWER, phone, None, "en")
            tx.people.link("telegram", address, person)

        self.store.do(join)

    def asks(self, address: str) -> str:
        """Return the refusal code, or ``waits``."""

        def ask(tx: StoreTx) -> OperationStarted | Refusal:
            event = Event("telegram", address, "1", EventKind.TAP)
            person = tx.people.at("telegram", address)
            turn = TurnContext(CONTEXT, tx, event, person, is_admin=address == ADMIN)
            return statement.queue_document(turn, "DEMO", DocumentFormat.CSV, DAYS)

        asked = self.store.do(ask)
        return asked.code if isinstance(asked, Refusal) else "waits"

    def makes(self) -> None:
        def make(tx: StoreTx) -> None:
            for reference, _ in tx.documents.waiting(pictures=False):
                tx.documents.made(reference, "a.csv", b"")

        self.store.do(make)

    def has(self, address: str, count: int) -> None:
        for _ in range(count):
            assert self.asks(address) == "waits"
            self.makes()


@pytest.fixture
def requests(store: PlainStore) -> DocumentRequests:
    return DocumentRequests(store)


def test_so_many_of_one_person_wait_and_others_may_ask(requests: DocumentRequests) -> None:
    requests.joins("77")
    requests.joins("78")
    asked = [requests.asks("77") for _ in range(WAITING_MAX + 1)]
    assert asked == ["waits"] * WAITING_MAX + ["documents_wait"]
    assert requests.asks("78") == "waits"
    requests.makes()
    assert requests.asks("77") == "waits"


def test_so_many_of_one_person_are_made_in_an_hour(requests: DocumentRequests) -> None:
    requests.joins("77")
    requests.has("77", HOUR_MAX)
    assert requests.asks("77") == "documents_hour"
    requests.store.wait(seconds=timedelta(hours=1).total_seconds())
    assert requests.asks("77") == "waits"


def test_all_people_of_a_partner_share_an_hour_and_an_admin_takes_nothing_of_it(
    requests: DocumentRequests,
) -> None:
    requests.has(ADMIN, HOUR_MAX * 2)
    people = [str(70 + n) for n in range(PARTNER_HOUR_MAX // HOUR_MAX)]
    for address in people:
        requests.joins(address)
        requests.has(address, HOUR_MAX)
    requests.joins("99")
    assert requests.asks("99") == "documents_partner"
    assert requests.asks(ADMIN) == "waits"


def test_an_admin_has_a_limit_too(requests: DocumentRequests) -> None:
    requests.has(ADMIN, HOUR_MAX * ADMIN_FACTOR)
    assert requests.asks(ADMIN) == "documents_hour"
