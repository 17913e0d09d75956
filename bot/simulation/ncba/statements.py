"""The simulated bank's statement of our account: payments in, float out, and planted errors.

The envelope of lines and where references stand on them are invented (facts: NCBA 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from bot.simulation.ncba.float_ledger import FloatLedger
from bot.simulation.ncba.paybill import Paybill
from services.domain.bank_line import BankLine
from services.domain.business_days import NAIROBI, business_day, start_of_day
from services.domain.money import Money
from services.gateways.statement_file import read_statement_file

HEADER = (
    "ValueDate,CreditDebitFlag,CreditAmount,DebitAmount,"
    "InstrumentReferenceNumber,CreditReference,Narrative"
)
BOUNCE_REVERSED_AFTER = timedelta(hours=3)  # of bounced float: sometimes on the next day
OPENING_BALANCE = Money(1_000_000_000_00)


class StatementDefect(StrEnum):
    """A defect of a statement line, as scripts spell it."""

    MISSING = "missing"
    DOUBLED = "doubled"
    WRONG_AMOUNT = "wrong-amount"
    WRONG_DAY = "wrong-day"
    REVERSED = "taken-back"  # the payment was reversed: not an error of the statement


class StatementEntry(NamedTuple):
    at: datetime
    credit: Money
    debit: Money
    instrument: str
    account: str
    narrative: str
    details: str


class Statements:
    """``defects`` apply to the first lines of each statement, one each.

    The predicates take a receipt. ``names_payer``: its line names the payer's phone and the
    prompted top-up. ``is_charged``: a charge as high as the payment follows. ``is_credited_twice``:
    it is credited again and that credit reversed. Bounced float is returned some hours later.
    """

    def __init__(self, paybill: Paybill, floats: FloatLedger) -> None:
        self._paybill = paybill
        self._floats = floats
        self.defects: list[StatementDefect] = []
        self.reversed_receipts: dict[str, Money] = {}  # amounts by receipt
        self._given: dict[date, list[BankLine]] = {}
        self.names_payer: Callable[[str], bool] = lambda receipt: True
        self.is_charged: Callable[[str], bool] = lambda receipt: False
        self.is_credited_twice: Callable[[str], bool] = lambda receipt: False

    def set_lines(self, lines: Sequence[str]) -> list[date]:
        """Replace the statement of the days in these CSV lines, and return those days.

        Without a header line the columns are those of ``HEADER``. Raises ``TableFileError``.
        """
        named = any("ValueDate" in line for line in lines)
        text = "\n".join(lines if named else (HEADER, *lines))
        given: dict[date, list[BankLine]] = {}
        for line in read_statement_file(text.encode()):
            given.setdefault(line.day, []).append(line)
        self._given |= given
        return sorted(given)

    def fields(self, first: date, last: date) -> list[dict[str, str]]:
        """Lines of the days from ``first`` to ``last``, keyed by NCBA's field names."""
        since, until = start_of_day(first), start_of_day(last) + timedelta(days=1)
        balance = OPENING_BALANCE
        fields = []
        for line in self._with_errors(since, until):
            balance = balance + line.credit - line.debit
            if since <= line.at < until and business_day(line.at) not in self._given:
                fields.append(_fields(line, balance))
        for day, given in self._given.items():
            if first <= day <= last:
                fields += [_fields_of(line) for line in given]
        return fields

    def _with_errors(self, since: datetime, until: datetime) -> Iterator[StatementEntry]:
        planted = list(self.defects)
        for line in sorted(self._lines(), key=lambda line: line.at):
            error = planted.pop(0) if planted and since <= line.at < until else None
            match error:
                case StatementDefect.MISSING:
                    continue
                case StatementDefect.DOUBLED:
                    yield line
                case StatementDefect.WRONG_AMOUNT:
                    extra = Money(100)
                    if line.credit.cents:
                        yield line._replace(credit=line.credit + extra)
                    else:
                        yield line._replace(debit=line.debit + extra)
                    continue
                case StatementDefect.WRONG_DAY:
                    yield line._replace(at=line.at + timedelta(days=1))
                    continue
                case StatementDefect.REVERSED:
                    self.reversed_receipts[line.instrument] = line.credit
                    yield line
                    yield StatementEntry(
                        line.at,
                        debit=line.credit,
                        credit=line.debit,
                        instrument=f"R{line.instrument}",
                        account=line.account,
                        narrative=f"REVERSAL {line.instrument}",
                        details="Paybill reversal",
                    )
                    continue
                case None:
                    pass
            yield line

    def _lines(self) -> Iterator[StatementEntry]:
        nothing = Money(0)
        for payment in self._paybill.received():
            account, payer = payment.account_reference, f"{payment.phone} "
            if not self.names_payer(payment.receipt):
                payer = ""
                account = account if payment.prompt is None else account.partition("#")[0]
            narrative = f"PAYBILL {payer}ASHA EXAMPLE"
            paid = StatementEntry(
                payment.paid_at,
                payment.amount,
                nothing,
                payment.receipt,
                account,
                narrative,
                "Paybill payment",
            )
            yield paid
            debit = paid._replace(credit=nothing, debit=payment.amount, details="Bank")
            if self.is_charged(payment.receipt):
                yield debit._replace(narrative=f"PAYBILL CHARGE {payment.receipt}")
            if self.is_credited_twice(payment.receipt):
                yield paid
                yield debit._replace(
                    instrument=f"R{payment.receipt}",
                    account="",
                    narrative=f"REV {payment.receipt}",
                )
        for bounced in self._floats.bounced:
            amount = bounced.amount
            taken = StatementEntry(
                bounced.booked_at,
                nothing,
                amount,
                bounced.instrument_reference,
                bounced.reference,
                f"FLOAT PURCHASE {bounced.short_code}",
                f"B2C float {bounced.reference}",
            )
            yield taken
            yield taken._replace(
                at=taken.at + BOUNCE_REVERSED_AFTER,
                credit=amount,
                debit=nothing,
                instrument=f"R{bounced.instrument_reference}",
                narrative=f"REVERSAL FLOAT PURCHASE {bounced.short_code}",
            )
        for purchase in self._floats.purchases():
            yield StatementEntry(
                purchase.booked_at,
                nothing,
                purchase.amount,
                purchase.instrument_reference,
                purchase.reference,
                f"FLOAT PURCHASE {purchase.short_code}",
                f"B2C float {purchase.reference}",
            )


def _fields_of(line: BankLine) -> dict[str, str]:
    nothing = Money(0, line.amount.currency)
    instrument, additional, credit = (*line.references, "", "", "")[:3]
    texts = [word for word in line.words if word not in line.references]
    return {
        "ValueDate": line.day.strftime("%d%m%Y"),
        "CreditDebitFlag": "C" if line.is_credit else "D",
        "InstrumentReferenceNumber": instrument,
        "CreditAmount": (line.amount if line.is_credit else nothing).decimal,
        "DebitAmount": (nothing if line.is_credit else line.amount).decimal,
        "Narrative": " ".join(texts[:1]),
        "PaymentDetails": " ".join(texts[1:]),
        "CreditReference": credit,
        "AdditionalReference": additional,
        "TransactionCurrency": line.amount.currency,
    }


def _fields(line: StatementEntry, balance: Money) -> dict[str, str]:
    return {
        "ValueDate": line.at.astimezone(NAIROBI).strftime("%d%m%Y"),
        "CreditDebitFlag": "C" if line.credit.cents else "D",
        "InstrumentReferenceNumber": line.instrument,
        "CreditAmount": line.credit.decimal,
        "DebitAmount": line.debit.decimal,
        "RunningBalance": balance.decimal,
        "Narrative": line.narrative,
        "TransactionCode": "SIM",
        "PaymentDetails": line.details,
        "CreditReference": "",
        "AdditionalReference": line.account,
        "TransactionCurrency": "KES",
    }
