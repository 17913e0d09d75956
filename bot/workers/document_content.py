"""What a document contains: read from the database, then rendered without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import assert_never

from flows.engine.texts import Texts
from services import statements
from services.documents.balance_chart import balance_chart
from services.documents.csv_statement import statement_csv
from services.documents.pdf_statement import statement_pdf
from services.documents.words import Words
from services.domain.business_days import start_of_day
from services.domain.document import Document, DocumentFormat, Period
from services.domain.ledger import AccountKind
from services.domain.money import Money
from services.domain.payment import Payment
from services.domain.payout import Payout
from services.domain.statement import Movement, Statement
from services.ports import Tx
from services.statements import Description


def read_content(tx: Tx, document: Document, texts: Texts) -> Callable[[], bytes]:
    """Read all the data; returns the function that renders it."""
    words = _words(document, texts)
    period = Period(document.first_day, document.last_day)
    if document.partner is None:
        points = _daily_topups(tx, document.first_day, document.last_day)
        title = words("chart.activity", period=period)
        return partial(balance_chart, points, title=title, words=words)
    describe = partial(_describe, tx, partial(texts.say, document.language))
    statement = statements.statement(tx, document.partner, document.account, period, describe)
    return partial(_draw, document, statement, _mark(tx, document), words)


def _mark(tx: Tx, document: Document) -> Money:
    """Below this the account is low; zero where there is no mark."""
    assert document.partner is not None
    partner = tx.people.partner(document.partner)
    if partner is None:
        return Money(0)
    is_float = document.account is AccountKind.FLOAT
    return Money(partner.low_float_cents if is_float else partner.low_balance_cents)


def _words(document: Document, texts: Texts) -> Words:
    def sentence(key: str, facts: Mapping[str, object]) -> str:
        return texts.say(document.language, f"document.{key}", facts)

    return Words(document.language, sentence)


def _describe(tx: Tx, say: Callable[..., str], movement: Movement) -> Description:
    topup = tx.topups.get(movement.operation)
    if topup is not None:
        payer = "" if topup.by_hand else str(topup.phone)
        return Description(say("statement.what.TU"), payer, receipt=topup.receipt or "")
    purchase = tx.purchases.get(movement.operation)
    if purchase is not None:
        destination = f"B2C {purchase.masked_destination}"
        bought = purchase.bank_id or ""
        return Description(say("statement.what.FL"), destination, float_reference=bought)
    batch = tx.payout_batches.get(movement.operation)
    if batch is not None:
        return Description(say("statement.what.BA"), say("statement.batch", {"count": batch.rows}))
    payout = tx.payouts.get(movement.operation)
    if payout is not None:
        what = say("statement.what.PO")
        return Description(what, _paid_to(payout), receipt=payout.receipt or "")
    adjustment = tx.adjustments.get(movement.operation)
    if adjustment is not None:
        return Description(say("statement.what.AD"), adjustment.reason)
    paid = tx.payments.of_reference(movement.operation)
    if paid is not None:
        return _payment(say("statement.what.PB"), paid.payment)
    reversal = tx.payments.reversed_by(movement.operation)
    if reversal is not None:
        return _payment(say("statement.what.RV"), reversal.payment)
    return Description(say("statement.what.OTHER"))


def _paid_to(payout: Payout) -> str:
    """The whole number, as of who topped up, with the name that M-PESA gave if it gave one."""
    phone = str(payout.recipient)
    return phone if payout.recipient_name is None else f"{phone}, {payout.recipient_name}"


def _payment(what: str, payment: Payment) -> Description:
    """The bank's own number where M-PESA's code is not known is no receipt of M-PESA's."""
    if payment.has_receipt:
        return Description(what, payment.payer.masked, receipt=payment.receipt)
    return Description(what, f"{payment.payer.masked}, {payment.receipt}")


def _daily_topups(tx: Tx, first: date, last: date) -> list[tuple[datetime, Money]]:
    """Total top-ups per business day, dated at the start of the day."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    bounds = [(start_of_day(day), start_of_day(day + timedelta(days=1))) for day in days]
    cents = tx.statistics.received_by_day(bounds)
    return [(start, Money(total)) for (start, _), total in zip(bounds, cents, strict=True)]


def _draw(document: Document, statement: Statement, threshold: Money, words: Words) -> bytes:
    match document.format:
        case DocumentFormat.CSV:
            return statement_csv(statement, words)
        case DocumentFormat.PDF:
            return statement_pdf(statement, words)
        case DocumentFormat.CHART | DocumentFormat.ACTIVITY:
            period = Period(statement.start, statement.end)
            title = words(f"chart.{statement.account}", partner=statement.partner, period=period)
            return balance_chart(
                statements.balance_points(statement),
                title=title,
                words=words,
                threshold=threshold if threshold.cents else None,
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
    account = "-float" if document.account is AccountKind.FLOAT else ""
    return f"hazina-{document.partner or 'all'}{account}-{days}.{suffix}"
