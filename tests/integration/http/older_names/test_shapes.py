"""The parts of older answers that need no world."""

from __future__ import annotations

import json

import pytest
from pydantic.json_schema import models_json_schema

from bot.http.api.older.numbers import number
from bot.http.api.older.statuses import MESSAGES, OLDER, OlderStatus
from bot.http.api.table import ROUTES
from services.domain.money import Money
from services.domain.public_operation import Status


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1500.00", "1500"),
        ("1500.50", "1500.5"),
        ("0.00", "0"),
        ("0.01", "0.01"),
        ("-1500.10", "-1500.1"),
        ("999999999.99", "999999999.99"),
        ("9999999999999.99", "9999999999999.99"),
    ],
)
def test_an_amount_is_the_number_that_its_decimals_say(amount: str, text: str) -> None:
    assert json.dumps(number(Money.of(amount))) == text


def test_every_amount_of_cents_is_exact() -> None:
    for cents in range(1, 100_000):
        written = json.dumps(number(Money(cents)))
        assert Money.of(written) == Money(cents)


def test_every_status_has_one_of_the_older_five() -> None:
    assert set(OLDER) == set(Status)
    assert set(OLDER.values()) == set(OlderStatus) == set(MESSAGES)


@pytest.mark.parametrize(
    ("older", "statuses"),
    [
        ("pending", {"awaiting_approval", "awaiting_code", "pending"}),
        ("completed", {"paid", "succeeded", "paid_after_return"}),
        (
            "failed",
            {"not_paid", "rejected", "failed", "refused", "expired", "locked", "returned"},
        ),
        ("cancelled", {"cancelled"}),
        ("unknown", {"unknown"}),
    ],
)
def test_the_statuses_are_these(older: str, statuses: set[str]) -> None:
    assert {status.value for status, name in OLDER.items() if name == older} == statuses


def test_no_two_schemas_of_the_api_have_one_name() -> None:
    models = [
        model
        for route in ROUTES
        for model in (route.answer, route.body, route.query, route.problem)
        if model is not None
    ]
    _, schemas = models_json_schema([(model, "serialization") for model in dict.fromkeys(models)])
    assert [name for name in schemas["$defs"] if "__" in name] == []
