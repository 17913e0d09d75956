"""A cursor says where to go on, and nothing but what was made as one is taken for one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calls.cursor import LENGTH_MAX, Cursor, decode, encode
from services.domain.public_operation import PublicKind, Status

MOMENTS = st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is given below
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=0))
CURSORS = st.builds(
    Cursor,
    st.none() | st.integers(1, 2**63 - 1),
    st.none() | st.sampled_from(PublicKind),
    st.none() | st.sampled_from(Status),
    st.none() | MOMENTS,
    st.none() | MOMENTS,
)


@given(CURSORS)
def test_what_was_encoded_is_decoded(cursor: Cursor) -> None:
    text = encode(cursor)
    assert len(text) <= LENGTH_MAX
    assert decode(text) == cursor


@given(st.text(max_size=80))
def test_nothing_else_is_taken_for_one(text: str) -> None:
    cursor = decode(text)
    assert cursor is None or encode(cursor) == text


@pytest.mark.parametrize(
    "text", ["", "W10", "WzFd", "A" * (LENGTH_MAX + 1), "é", "WzEsMSwxLDEsMSwxXQ"]
)
def test_what_looks_alike_is_none(text: str) -> None:
    assert decode(text) is None
