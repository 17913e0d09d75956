"""Bodies that mean the same are one, and nothing else is."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.http.api.json_body import Unreadable, canonical, read_object

PATH = "/v1/topup/stk-push"
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8)
OBJECTS = st.dictionaries(st.text(max_size=5), SCALARS | st.lists(SCALARS, max_size=3), max_size=4)


def _canonical(body: str) -> bytes:
    return canonical("POST", PATH, read_object(body.encode()))


@pytest.mark.parametrize(
    "same",
    [
        '{"amount": "1500", "again": true}',
        '{"again": true, "amount": 1500}',
        ' {"amount":"1500.00","again":true} ',
        '{"amount": 1500.0, "again": true}',
        '{"amount": 1.5e3, "again": true}',
    ],
)
def test_one_amount_has_many_forms(same: str) -> None:
    assert _canonical(same) == _canonical('{"amount": 1500, "again": true}')


@pytest.mark.parametrize(
    "other",
    [
        '{"amount": 1501, "again": true}',
        '{"amount": 1500, "again": false}',
        '{"amount": 1500}',
        '{"amount": 1500, "again": 1}',
        '{"amount": 1500, "again": "true"}',
        '{"amount": 1500, "again": true, "description": null}',
    ],
)
def test_what_differs_is_another(other: str) -> None:
    assert _canonical(other) != _canonical('{"amount": 1500, "again": true}')


def test_a_text_that_is_no_amount_stays_a_text() -> None:
    assert _canonical('{"description": "1500"}') != _canonical('{"description": 1500}')
    assert _canonical('{"description": "1.0"}') != _canonical('{"description": "1"}')


def test_method_and_path_belong_to_it() -> None:
    assert canonical("POST", "/a", {}) != canonical("POST", "/b", {})
    assert canonical("POST", "/a", {}) != canonical("DELETE", "/a", {})


@given(OBJECTS, OBJECTS)
def test_it_is_the_same_only_for_what_is_the_same(one: dict[str, Any], two: dict[str, Any]) -> None:
    same = canonical("POST", PATH, one) == canonical("POST", PATH, two)
    assert same == (_typed(one) == _typed(two))


def _typed(value: object) -> object:
    """Python takes 1 and True for the same."""
    if isinstance(value, dict):
        return {name: _typed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_typed(member) for member in value]
    return type(value).__name__, value


@given(OBJECTS)
def test_what_was_written_is_read(body: dict[str, Any]) -> None:
    assert read_object(json.dumps(body).encode()) == body


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_be_refused(body: bytes) -> None:
    with suppress(Unreadable):
        assert isinstance(read_object(body), dict)
