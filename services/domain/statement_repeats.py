"""Which lines of a statement are stored already, whatever their source and wording.

One movement may come from the bank's API and again in a file: with its number in another field,
with other words, or without a number. Counted as two, a payment would be credited twice. So lines
of one day, side and amount are paired with the stored ones as a group, by the strongest sign first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.domain.bank_line import BankLine


class StoredLine(NamedTuple):
    """A stored line, its key, and whether it was matched."""

    key: str
    line: BankLine
    is_matched: bool


class LineKey(NamedTuple):
    """The key a line is stored under. ``is_doubted``: it may be a line counted before, in words
    that do not show it; alone it is no evidence of a payment."""

    key: str
    is_doubted: bool


def is_copy(key: str) -> bool:
    """Whether the key belongs to a repeated line identical to the first."""
    return "-" in key


def match_stored(lines: Sequence[BankLine], stored: Sequence[StoredLine]) -> list[LineKey]:
    """``lines`` are all lines of a statement with one day, side and amount; ``stored`` all stored
    lines with the same, in the order first seen.

    Pairs are made by identical text, then by identity, then by a number that both have, then by
    text that differs only in a bank number that one of the two lacks. Lines without a number are
    paired by count: only as many lines are new as the statement has in excess.
    """
    pairs = _Pairs(lines, stored)
    pairs.by(lambda signs: ((signs.identity, signs.tokens),))
    pairs.by(lambda signs: (signs.identity,))
    pairs.by(lambda signs: sorted(signs.said), _is_repeated)
    pairs.by(lambda signs: (signs.words,), _has_lost_its_number)
    before = set(pairs.found)
    pairs.by(lambda signs: () if signs.own else ("no number",), _may_be_one)
    counted = any(stored[pairs.found[n]].is_matched for n in pairs.found.keys() - before)
    matched = [pairs.kept[at] for at in sorted(pairs.free) if stored[at].is_matched]
    keys, taken = [], {one.key for one in stored}
    for n, signs in enumerate(pairs.lines):
        at = pairs.found.get(n)
        key = _new_key(signs.identity, taken) if at is None else stored[at].key
        taken.add(key)
        doubted = counted and not signs.own
        keys.append(LineKey(key, doubted or not all(_are_two(signs, other) for other in matched)))
    return keys


def is_same_movement(one: BankLine, other: BankLine) -> bool:
    """Whether a number of one appears anywhere in the other, and no number contradicts."""
    return other.says_any(one.said_numbers) and _is_repeated(_Signs.of(one), _Signs.of(other))


@dataclass(frozen=True, slots=True)
class _Signs:
    """What identifies a line, computed once."""

    tokens: Sequence[str]
    identity: str
    receipts: frozenset[str]
    ours: frozenset[str]
    bank_number: str
    own: frozenset[str]
    said: frozenset[str]
    typed: frozenset[str]
    words: Sequence[str]  # its tokens except numbers

    @classmethod
    def of(cls, line: BankLine) -> _Signs:
        said = frozenset(line.said_numbers)
        return cls(
            tokens=line.tokens,
            identity=line.identity,
            receipts=frozenset(line.receipts),
            ours=frozenset(line.ours),
            bank_number=line.bank_number,
            own=line.own_numbers,
            said=said,
            typed=frozenset(line.typed),
            words=tuple(one for one in line.tokens if one not in said),
        )


class _Pairs:
    """``found`` maps a line of the statement to a stored one; ``free`` are the stored lines not yet
    paired."""

    def __init__(self, lines: Sequence[BankLine], kept: Sequence[StoredLine]) -> None:
        self.lines = [_Signs.of(line) for line in lines]
        self.kept = [_Signs.of(one.line) for one in kept]
        self.found: dict[int, int] = {}
        self.free = set(range(len(kept)))

    def by(
        self,
        shared: Callable[[_Signs], Iterable[Hashable]],
        fits: Callable[[_Signs, _Signs], bool] = lambda one, other: True,
    ) -> None:
        """Pair, in order, those that share one of these signs and fit."""
        sharing: dict[Hashable, list[int]] = {}
        for at in sorted(self.free):
            for sign in shared(self.kept[at]):
                sharing.setdefault(sign, []).append(at)
        for n, line in enumerate(self.lines):
            if n in self.found:
                continue
            near = (at for sign in shared(line) for at in sharing.get(sign, ()))
            same = (at for at in near if at in self.free and fits(line, self.kept[at]))
            if (found := next(same, None)) is not None:
                self.found[n] = found
                self.free.remove(found)


def _is_repeated(one: _Signs, other: _Signs) -> bool:
    if _differ(one.receipts, other.receipts) or _differ(one.ours, other.ours):
        return False
    firsts = {signs.bank_number for signs in (one, other) if signs.bank_number in signs.receipts}
    if len(firsts) > 1:
        return False  # each is M-PESA's code of a payment; the other is only mentioned
    return bool(one.own & other.said or other.own & one.said)


def _has_lost_its_number(one: _Signs, other: _Signs) -> bool:
    """Only one of the two has a number; neither has M-PESA's code, which would not get lost."""
    has_one = bool(one.own) is not bool(other.own)
    return has_one and not (one.receipts or other.receipts) and _may_be_one(one, other)


def _may_be_one(one: _Signs, other: _Signs) -> bool:
    """No number or word that both have contradicts."""
    return not any(
        _differ(first, second)
        for first, second in (
            (one.ours, other.ours),
            (one.said, other.said),
            (one.typed, other.typed),
        )
    )


def _are_two(one: _Signs, other: _Signs) -> bool:
    """Certainly different: each has a number of the same kind, and these differ."""
    if one.receipts or other.receipts:
        by_number = bool(one.receipts and other.receipts)
    else:
        by_number = bool(one.bank_number and other.bank_number)
    return by_number or bool(one.ours and other.ours) or _differ(one.typed, other.typed)


def _differ(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other and not one & other)


def _new_key(identity: str, taken: set[str]) -> str:
    copy, key = 0, identity
    while key in taken:
        copy += 1
        key = f"{identity}-{copy}"
    return key
