"""What the call that has a code sent is answered."""

from __future__ import annotations

from bot.calls.answers import Reply
from bot.calls.caller import CallContext
from bot.handlers import spendings
from services.domain.fees import Quote
from services.domain.instant import to_rfc3339
from services.domain.otp import CHECKS_MAX, Otp
from services.domain.partner import Person
from services.domain.public_operation import Status
from services.domain.spending import S, Spending
from services.spending import CodeSent


def quote_document(quote: Quote) -> dict[str, str]:
    return {
        "amount": quote.amount.decimal,
        "currency": quote.amount.currency,
        "fees": quote.fees.decimal,
        "transfer_fee": quote.transfer_fee.decimal,
        "processing_fee": quote.processing_fee.decimal,
        "total": quote.total.decimal,
    }


def sent(person: Person, reference: str, code: Otp | None, quote: Quote | None) -> Reply:
    """Without a ``code`` the operation awaits approval first. A top-up has no ``quote``."""
    status = Status.AWAITING_APPROVAL if code is None else Status.AWAITING_CODE
    document = {
        "reference": reference,
        "status": status.value,
        "expires_at": None if code is None else to_rfc3339(code.expires_at),
        "max_attempts": CHECKS_MAX,
        "sent_to": {
            "phone": None if code is None else person.phone.masked,
            "email": None if code is None else _masked(person.email),
        },
        "quote": None if quote is None else quote_document(quote),
    }
    return Reply(document, reference)


def send(call: CallContext, person: Person, code: CodeSent[S]) -> Reply:
    """Send what was drawn for a purchase or a payout, and say so."""
    operation: Spending = code.operation
    spendings.send_code(call.acts_with(person), code)
    return sent(person, operation.reference, code.issued.otp, operation.quote)


def _masked(email: str | None) -> str | None:
    if email is None:
        return None
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}"
