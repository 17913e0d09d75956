"""What Daraja posts when M-PESA is done with a request (facts: Daraja 5 and 7)."""

from __future__ import annotations

from datetime import datetime

from bot.simulation.daraja.b2c_ledger import B2cLedger, B2cPayment, B2cState
from bot.simulation.daraja.dated_account import DatedAccount
from bot.simulation.daraja.request_fields import Fields
from bot.simulation.daraja.result_codes import PAID, is_a_number, text_of
from bot.simulation.daraja.result_shapes import Result
from services.domain.business_days import NAIROBI

_QUEUE_TIMEOUT_URL = "https://internalapi.daraja.simulated/mpesa/b2cresults/v1/submit"
TIMED_OUT = "The service request has timed out."


def result_head(code: str, originator_id: str, conversation_id: str, transaction_id: str) -> Result:
    """A Result without parameters, which is all that a failure has."""
    return {
        "ResultType": 0,
        "ResultCode": int(code) if is_a_number(code) else code,
        "ResultDesc": text_of(code),
        "OriginatorConversationID": originator_id,
        "ConversationID": conversation_id,
        "TransactionID": transaction_id,
        "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": _QUEUE_TIMEOUT_URL}},
    }


def payment_result(payment: B2cPayment, code: str, ledger: B2cLedger, now: datetime) -> Result:
    """Of a payment, with the accounts as they stand now."""
    result = result_head(
        code, payment.originator_id, payment.conversation_id, payment.transaction_id
    )
    if code != PAID:
        return result
    now = max(now, payment.paid_at)  # a real clock's timer may be early by a little
    completed = payment.paid_at.astimezone(NAIROBI).strftime("%d.%m.%Y %H:%M:%S")
    return with_parameters(
        result,
        ("TransactionAmount", payment.amount_kes),
        ("TransactionReceipt", payment.transaction_id),
        ("ReceiverPartyPublicName", f"{payment.phone} - {payment.name}"),
        ("TransactionCompletedDateTime", completed),
        ("B2CUtilityAccountAvailableFunds", ledger.utility.balance(now) / 100),
        ("B2CWorkingAccountAvailableFunds", 0.0),
        ("B2CRecipientIsRegisteredCustomer", "Y"),
        ("B2CChargesPaidAccountAvailableFunds", ledger.charges_paid.balance(now) / 100),
    )


def status_result(head: Result, payment: B2cPayment, debited: str, now: datetime) -> Result:
    """Of a status query that found the payment; ``debited`` is the short code and its name. A key
    without a value is one that M-PESA has nothing for.
    """
    state = payment.state(now)
    ended = {B2cState.PAID: payment.paid_at, B2cState.REFUSED: payment.refused_at}.get(state)
    charge = payment.charge_kes if state is B2cState.PAID else 0
    return with_parameters(
        head,
        ("DebitPartyName", debited),
        ("DebitPartyName", f"{payment.phone} - {payment.name}"),
        ("OriginatorConversationID", payment.originator_id),
        ("InitiatedTime", _compact(payment.ordered_at)),
        ("DebitAccountType", "Utility Account"),
        ("DebitPartyCharges", f"Fee For B2C Payment|KES|{charge}.00"),
        ("TransactionReason", None),
        ("ReasonType", "Business Payment to Customer via API"),
        ("TransactionStatus", str(state)),
        ("FinalisedTime", None if ended is None else _compact(ended)),
        ("Amount", str(payment.amount_kes)),
        ("ConversationID", payment.conversation_id),
        ("ReceiptNo", payment.transaction_id),
    )


def balance_result(head: Result, ledger: B2cLedger, now: datetime) -> Result:
    """Of a balance query, whose codes are texts."""
    head |= {"ResultType": "0", "ResultCode": str(head["ResultCode"])}
    return with_parameters(
        head,
        ("AccountBalance", balances(ledger, now)),
        ("BOCompletedTime", _compact(now)),
    )


def balances(ledger: B2cLedger, now: datetime) -> str:
    """Each account with its currency, twice what is in it, and twice nothing."""
    nothing = DatedAccount()
    accounts = {
        "Working Account": nothing,
        "Utility Account": ledger.utility,
        "Charges Paid Account": ledger.charges_paid,
    }
    return "&".join(
        f"{name}|KES|{_decimal(account.balance(now))}|{_decimal(account.balance(now))}|0.00|0.00"
        for name, account in accounts.items()
    )


def queue_timeout(originator_id: str, conversation_id: str) -> Result:
    """To the QueueTimeOutURL: M-PESA has not come to the request yet. That says nothing of what
    becomes of it.
    """
    return {
        "ResultType": 1,
        "ResultCode": 1,
        "ResultDesc": TIMED_OUT,
        "OriginatorConversationID": originator_id,
        "ConversationID": conversation_id,
    }


def occasion_of(fields: Fields) -> dict[str, str]:
    """What a query was sent for comes back with its Result."""
    occasion = fields.get("Occasion")
    return {"Key": "Occasion"} | ({} if occasion is None else {"Value": occasion})


def with_parameters(result: Result, *parameters: tuple[str, object]) -> Result:
    """``None`` is a key without a value."""
    listed = [
        {"Key": key} if value is None else {"Key": key, "Value": value} for key, value in parameters
    ]
    result["ResultParameters"] = {"ResultParameter": listed}
    return result


def _compact(moment: datetime) -> str:
    return moment.astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")


def _decimal(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
