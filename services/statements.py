"""Movements of a partner's account in a period, as a statement or as the points of a chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from services.domain.document import Period
from services.domain.ids import looks_like_reference
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.statement import Movement, Statement, StatementLine, bounds
from services.ports import Tx


@dataclass(frozen=True, slots=True)
class Description:
    """What a movement was, in words; ``receipt`` and ``float_reference`` as in a
    ``StatementLine``."""

    what: str
    detail: str = ""
    receipt: str = ""
    float_reference: str = ""


Describe = Callable[[Movement], Description]

LINES_MAX = 50_000  # per statement: about a thousand pages


class TooManyLines(Exception):
    """The period has more movements than a statement can hold."""


def statement(
    tx: Tx, partner: str, account: AccountKind, period: Period, describe: Describe
) -> Statement:
    """Read on a snapshot: all lines and both balances are from one moment.

    Raises ``TooManyLines``.
    """
    start, end = bounds(period.first, period.last)
    balance = opening = tx.statements.balance_at(partner, account, start)
    lines = []
    movements = tx.statements.movements(partner, account, start, end, LINES_MAX + 1)
    if len(movements) > LINES_MAX:
        raise TooManyLines
    for movement in movements:
        balance = balance + movement.paid_in - movement.paid_out
        described = describe(movement)
        lines.append(
            StatementLine(
                at=movement.at,
                # What a desk begins with is named after its partner, which is no reference.
                reference=movement.operation if looks_like_reference(movement.operation) else "",
                description=described.what,
                detail=described.detail,
                paid_in=movement.paid_in if movement.paid_in.cents else None,
                paid_out=movement.paid_out if movement.paid_out.cents else None,
                balance=balance,
                fees=movement.fees if movement.fees.cents else None,
                receipt=described.receipt,
                float_reference=described.float_reference,
            )
        )
    return Statement(
        partner=partner,
        account=account,
        start=period.first,
        end=period.last,
        opening=opening,
        closing=balance,
        lines=lines,
        made_at=tx.now,
    )


def balance_points(made: Statement) -> Sequence[tuple[datetime, Money]]:
    """The balance at the start, after each movement, and at the end. Times never go back, even if
    the clock was set back between two movements."""
    start, end = bounds(made.start, made.end)
    moments = accumulate((start, *(line.at for line in made.lines), min(end, made.made_at)), max)
    balances = (made.opening, *(line.balance for line in made.lines), made.closing)
    return list(zip(moments, balances, strict=True))


def month_so_far(today: date) -> Period:
    return Period(today.replace(day=1), today)


def month_before(today: date) -> Period:
    last = today.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)
