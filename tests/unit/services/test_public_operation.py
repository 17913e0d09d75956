"""What partners' systems see of an operation."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.domain.instant import to_rfc3339
from services.domain.money import Money
from services.domain.operation import OperationType
from services.domain.partner_event import EVENT_TYPES, event_id, place_of
from services.domain.public_operation import (
    STATUSES,
    PublicKind,
    PublicOperation,
    PublicPayee,
    Status,
    kind_of,
    short_name,
)
from storage.sqlite.empty_database import in_memory

NOW = datetime(2026, 3, 2, 6, 0, 0, 125_999, tzinfo=UTC)
FLOAT = PublicOperation(
    "FL-222222", "DEMO", PublicKind.FLOAT, Status.PENDING, None, False, 2, Money(100_050),
    Money(2_500), Money(1_000), Money(-103_550), None, None, None, NOW, NOW,
)  # fmt: skip


def test_the_document_has_every_member_and_money_as_texts() -> None:
    document = FLOAT.document()
    assert (document["amount"], document["fees"], document["total"]) == (
        "1000.50",
        "35.00",
        "1035.50",
    )
    assert document["wallet_change"] == "-1035.50"
    assert document["created_at"] == "2026-03-02T06:00:00.125Z"


def test_what_has_no_fees_has_no_total() -> None:
    topup = replace(FLOAT, kind=PublicKind.TOPUP, transfer_fee=None, processing_fee=None)
    document = topup.document()
    assert [document[name] for name in ("fees", "transfer_fee", "processing_fee", "total")] == [
        None
    ] * 4


def test_a_moment_is_utc_whatever_zone_it_is_given_in() -> None:
    nairobi = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=3)))
    assert to_rfc3339(nairobi) == "2026-03-02T06:00:00.000Z"


@pytest.mark.parametrize("type_", [one for one in OperationType if one is not OperationType.BATCH])
def test_every_kind_has_its_public_name(type_: OperationType) -> None:
    assert kind_of(type_).type is type_


def test_every_state_has_a_status_that_its_kind_knows() -> None:
    with closing(in_memory()) as conn:
        rows = conn.execute("SELECT kind, state, standing, status FROM operation_states").fetchall()
    rows = [row for row in rows if row[0] != OperationType.BATCH]  # has calls of its own
    for type_, state, standing, status in rows:
        if standing == "quoted":
            assert status == "", state
        else:
            assert Status(status) in STATUSES[kind_of(OperationType(type_))], state
    told = {(kind_of(OperationType(row[0])), row[3]) for row in rows if row[3]}
    assert told == {(kind, status) for kind, every in STATUSES.items() for status in every}


def test_events_are_of_operations_that_something_becomes_of() -> None:
    assert "topup.paid" in EVENT_TYPES
    assert "float.awaiting_approval" in EVENT_TYPES
    assert not [name for name in EVENT_TYPES if name.startswith(("payment", "adjustment"))]


@pytest.mark.parametrize(
    "other",
    ["", "ev_SOKO_3", "ev_DEMO_0", "ev_DEMO_03", "ev_DEMO_3 ", "ev_DEMO_-1", "EV_DEMO_3", "3"],
)
def test_an_id_names_one_place_of_one_feed(other: str) -> None:
    assert place_of("DEMO", event_id("DEMO", 3)) == 3
    assert place_of("DEMO", other) is None


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("ASHA EXAMPLE", "ASHA E."),
        ("Baraka Mfano Sample", "Baraka M. S."),
        ("  AMINA   SPECIMEN ", "AMINA S."),
        ("AMINA", "AMINA"),
        ("O'BRIEN ÉLISE", "O'BRIEN É."),
        ("", ""),
    ],
)
def test_a_name_is_shortened_to_its_first_and_initials(full: str, short: str) -> None:
    assert short_name(full) == short


def test_only_events_shorten_the_name() -> None:
    payee = PublicPayee("254722000111", "ASHA EXAMPLE", "Wages", None)
    payout = replace(FLOAT, kind=PublicKind.PAYOUT, payee=payee)
    assert payout.document()["recipient_name"] == "ASHA EXAMPLE"
    assert payout.event_document() == {**payout.document(), "recipient_name": "ASHA E."}
    assert FLOAT.event_document() == FLOAT.document()


def test_an_endpoint_may_ask_for_each_type_once() -> None:
    assert len(EVENT_TYPES) == len(set(EVENT_TYPES))
    payouts = {name for name in EVENT_TYPES if name.startswith("payout.")}
    assert payouts == {f"payout.{status}" for status in STATUSES[PublicKind.PAYOUT]}
