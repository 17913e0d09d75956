"""What a document contains: read from the database, then rendered without it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import assert_never

from flows.engine.texts import Texts
from services import statements
from services.documents.balance_chart import balance_chart
from services.documents.csv_statement import statement_csv
from services.documents.pdf_statement import statement_pdf
from services.domain.business_days import start_of_day
from services.domain.document import Document, DocumentFormat, Period
from services.domain.money import Money
from services.domain.statement import Movement, Statement
from services.ports import Tx


def read_content(tx: Tx, document: Document, texts: Texts) -> Callable[[], bytes]:
    """Read all the data; returns the function that renders it."""
    if document.partner is None:
        points = _daily_topups(tx, document.first_day, document.last_day)
        title = str(Period(document.first_day, document.last_day))
        return partial(balance_chart, points, title=title)
    statement = _statement(tx, document, document.partner, texts)
    partner = tx.people.partner(document.partner)
    threshold = Money(0 if partner is None else partner.low_balance_cents)
    return partial(_draw, document, statement, threshold)


def _statement(tx: Tx, document: Document, partner: str, texts: Texts) -> Statement:
    language = document.language

    def describe(movement: Movement) -> tuple[str, str]:
        topup = tx.topups.get(movement.operation)
        if topup is not None:
            payer = topup.receipt or "" if topup.by_hand else str(topup.phone)
            return texts.say(language, "statement.what.TU"), payer
        purchase = tx.purchases.get(movement.operation)
        if purchase is not None:
            facts = {"amount": purchase.amount, "fees": purchase.quote.fees}
            detail = texts.say(language, "statement.what.fees", facts)
            return texts.say(language, "statement.what.FL"), detail
        adjustment = tx.adjustments.get(movement.operation)
        if adjustment is not None:
            return texts.say(language, "statement.what.AD"), adjustment.reason
        payment = tx.payments.of_reference(movement.operation)
        if payment is not None:
            return texts.say(language, "statement.what.PB"), payment.payment.receipt
        reversal = tx.payments.reversed_by(movement.operation)
        if reversal is not None:
            return texts.say(language, "statement.what.RV"), reversal.payment.receipt
        return texts.say(language, "statement.what.OTHER"), ""

    period = Period(document.first_day, document.last_day)
    account = texts.say(language, "statement.what.account")
    return statements.statement(tx, partner, account, period, describe)


def _daily_topups(tx: Tx, first: date, last: date) -> list[tuple[datetime, Money]]:
    """Total top-ups per business day, dated at the start of the day."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    bounds = [(start_of_day(day), start_of_day(day + timedelta(days=1))) for day in days]
    cents = tx.statistics.received_by_day(bounds)
    return [(start, Money(total)) for (start, _), total in zip(bounds, cents, strict=True)]


def _draw(document: Document, statement: Statement, threshold: Money) -> bytes:
    match document.format:
        case DocumentFormat.CSV:
            return statement_csv(statement)
        case DocumentFormat.PDF:
            return statement_pdf(statement)
        case DocumentFormat.CHART | DocumentFormat.ACTIVITY:
            points = statements.balance_points(statement)
            title = f"{statement.partner}, {Period(statement.start, statement.end)}"
            return balance_chart(
                points, title=title, threshold=threshold if threshold.cents else None
            )
        case DocumentFormat.QR:
            raise AssertionError("the bank draws what is paid by")
    assert_never(document.format)


def file_name(document: Document) -> str:
    if document.topup is not None:
        return f"{document.topup}.png"
    pictures = (DocumentFormat.CHART, DocumentFormat.ACTIVITY)
    suffix = "png" if document.format in pictures else document.format
    days = f"{document.first_day:%Y%m%d}-{document.last_day:%Y%m%d}"
    return f"hazina-{document.partner or 'all'}-{days}.{suffix}"
