"""Statements that report the same movements in other words: each movement counts once."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.domain.bank_line import BankLine
from services.domain.money import Money
from services.domain.statement_repeats import StoredLine, match_stored

DAY = date(2026, 3, 2)
NUMBERS = st.sampled_from(["", "FT26061ABCDE", "FT26061ABCDF", "UF4OR6RP9Q", "UF5ABCDE12"])
NAMES = st.sampled_from(["AMINA", "BRIAN", "CAROL", ""])
WAYS = ("{0}||{1}", "{0}\\HQ||{1}", '="{0}"||Paybill {1}', "|{0}|deposit {1}", "||{1} {0}")


def told(way: str, number: str, name: str) -> BankLine:
    own, second, said = way.format(number, name).split("|")
    references = (own if number else "", second, "DEMO")
    return BankLine.of(DAY, Money(150_000), (said,), is_credit=True, references=references)


def kept(lines: list[BankLine], before: list[StoredLine]) -> list[StoredLine]:
    """The stored lines after ``lines`` is read on top of ``before``."""
    known = {one.key for one in before}
    keys = [one.key for one in match_stored(lines, before)]
    assert len(set(keys)) == len(keys)
    new = zip(keys, lines, strict=True)
    return before + [StoredLine(key, line, True) for key, line in new if key not in known]


@given(st.lists(st.tuples(NUMBERS, NAMES), max_size=6), st.data())
def test_a_line_stays_the_same_line_however_often_and_in_whatever_order_it_is_read(
    movements: list[tuple[str, str]], data: st.DataObject
) -> None:
    lines = [told(data.draw(st.sampled_from(WAYS)), *movement) for movement in movements]
    first = kept(lines, [])
    assert len(first) == len(lines)
    assert kept(data.draw(st.permutations(lines)), first) == first
    part = data.draw(st.lists(st.sampled_from(lines), unique_by=id)) if lines else []
    assert kept(part, first) == first
    assert not any(one.is_doubted for one in match_stored(lines, first))


@given(st.lists(st.tuples(NUMBERS, NAMES), max_size=6, unique_by=lambda one: one[0]), st.data())
def test_a_statement_in_other_ways_has_no_more_lines(
    movements: list[tuple[str, str]], data: st.DataObject
) -> None:
    before: list[StoredLine] = []
    for _ in range(3):
        lines = [told(data.draw(st.sampled_from(WAYS)), *movement) for movement in movements]
        before = kept(data.draw(st.permutations(lines)), before)
    assert len(before) == len(movements)


@given(st.integers(0, 5), st.integers(0, 5))
def test_without_a_number_only_what_the_longer_statement_has_more_is_new_and_doubted(
    one: int, other: int
) -> None:
    first = kept([told(WAYS[0], "", f"AMINA{n}") for n in range(one)], [])
    again = match_stored([told(WAYS[0], "", f"deposit B{n}") for n in range(other)], first)
    new = [line for line in again if line.key not in {line.key for line in first}]
    assert len(new) == max(0, other - one)
    assert all(line.is_doubted for line in new) or one == 0
