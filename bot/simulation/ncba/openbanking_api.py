"""The simulated bank's Open Banking API: float bought from one account.

Requests are checked against NCBA's Postman collection, and answers have the shapes of related calls
(facts: NCBA 3). Whatever is not public is invented: every code except "000", the envelope of
statement lines, and where our reference stands on them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.simulation.faults import Fault, FaultKind
from bot.simulation.ncba.float_ledger import FloatBooking, FloatLedger
from bot.simulation.ncba.statements import Statements
from bot.simulation.simulated_api import CallReply, CallRequest
from services.domain.ids import RandomSource, new_reference
from services.domain.money import Money
from services.ports import Clock

PREFIX = "/openbanking"  # suffix of the base URL, so that one host serves both APIs
PATHS = {
    f"{PREFIX}/api/v1/Auth/generate-token": "token",
    f"{PREFIX}/api/v1/FloatPurchase/floatpurchase": "float",
    f"{PREFIX}/api/v1/TransactionStatusQuery/transactionstatusquery": "status",
    f"{PREFIX}/api/v1/AccountDetails/accountdetails": "account",
    f"{PREFIX}/api/v1/AccountStatement/accountstatement": "statement",
}
SIMULATED_FAILED_CODE = "SIM-FAILED"  # a final failure in the status query
SIMULATED_NOT_FOUND_CODE = "SIM-NOT-FOUND"  # in no table of codes, so never final
SIMULATED_REFUSED_CODE = "SIM-REFUSED"
SIMULATED_TOKEN_LIFE_S = 3_600  # longer than the 15 minutes that we keep one

# Without decimals where there are no cents (facts: NCBA 4).
AMOUNT = r"[1-9][0-9]{0,8}|(0|[1-9][0-9]{0,8})\.(?!00)[0-9]{2}"
_PURCHASE_FIELDS = {
    "reqAgentName": r".+",
    "reqCreditAmount": AMOUNT,
    "reqCustomerReference": r".+",
    "reqDealReference": r".+",
    "reqDebitAccountNumber": r"[0-9]+",
    "reqDebitAcCurrency": r"KES",
    "reqDebitAmount": AMOUNT,
    "reqMobileNumber": r"254[17][0-9]{8}",
    "reqPayBillTillNo": r"[0-9]{5,7}",
    "reqPaymentDescription": r".+",
    "reqPaymentType": r"FloatPurchase",
    "reqToAccountName": r".+",
    "reqTransactionReferenceNo": r"[A-Za-z0-9]{1,40}",  # hyphens are reportedly refused
    "reqTxnDate": r"20[0-9]{2}[01][0-9][0-3][0-9]",
    "senderCountry": r"Kenya",
}


@dataclass(frozen=True, slots=True)
class FloatReply(CallReply):
    """``reported_purchase`` is the purchase that this answer reports."""

    reported_purchase: FloatBooking | None = None


def float_reply(
    http_status: int, reported_purchase: FloatBooking | None = None, /, **fields: object
) -> FloatReply:
    return FloatReply(http_status, json.dumps(fields).encode(), reported_purchase=reported_purchase)


def float_refusal(call: str, reason: str) -> FloatReply:
    if call == "token":
        return float_reply(401, message=reason)
    return float_reply(400, resErrorCode=SIMULATED_REFUSED_CODE, resErrorDesc=reason)


def float_contradiction() -> FloatReply:
    """A success code with a failure description."""
    transaction = {"Status": "FAILED", "ThirdPartyStatus": None}
    return float_reply(200, Code="000", Description="Success", Transaction=transaction)


def status_failed(reason: str) -> FloatReply:
    return float_reply(200, resultCode=SIMULATED_FAILED_CODE, statusDescription=reason)


def _only_accepted(purchase: FloatBooking) -> FloatReply:
    """As NCBA's queued rails answer (facts: NCBA 6)."""
    return float_reply(
        200,
        hdrRefNo=purchase.reference,
        hdrTranId=purchase.instrument_reference,
        resErrorCode="000",
        resErrorDesc="Success",
        UnitId="KE",
    )


def _duplicate(first: FloatBooking) -> FloatReply:
    """As one integrator was answered (facts: NCBA 6)."""
    result = {"Response Code": 11, "Reference": f"DUPLICATE | {first.instrument_reference}"}
    return float_reply(200, **result, Description="ERROR")


def _found(status: str, purchase: FloatBooking) -> Mapping[str, object]:
    """A status query's answer, as one integrator received it (facts: NCBA 6)."""
    return {
        "CBSReference": purchase.instrument_reference,
        "Status": status,
        "ThirdPartyStatus": None,
    }


class OpenBankingApi:
    """Authenticates requests, books every purchase that arrives, and answers from the books."""

    def __init__(
        self,
        clock: Clock,
        random: RandomSource,
        book: FloatLedger,
        statements: Statements,
        *,
        subscription_key: str,
        user_id: str,
        password: str,
        debit_account: str,
    ) -> None:
        self._clock = clock
        self._random = random
        self._book = book
        self._statements = statements
        self._subscription_key = subscription_key.encode()
        self._credentials = (user_id, password)
        self._debit_account = debit_account
        self._tokens: dict[bytes, datetime] = {}
        self._issued: list[str] = []

    def issued_tokens(self) -> tuple[str, ...]:
        return tuple(self._issued)

    def revoke_tokens(self) -> None:
        self._tokens.clear()

    def answer(self, call: str, request: CallRequest, fault: Fault | None = None) -> FloatReply:
        """``fault`` applies only to an order, and after its checks."""
        if request.headers.get(b"ocp-apim-subscription-key") != self._subscription_key:
            return float_reply(401, statusCode=401, message="Invalid subscription key")
        fields = _read_texts(request.body)
        if call == "token":
            return self._give_token(fields or {})
        if not self._admits(request):
            return float_reply(401, message="Invalid token")
        if fields is None:
            return float_refusal(call, "Every value is a string")
        if call == "float":
            return self._buy(fields, fault)
        if call == "status":
            return self._status(fields)
        if fields.get("accountNo") != self._debit_account:
            return float_refusal(call, "Unknown accountNo")
        return self._details() if call == "account" else self._statement(fields)

    def _give_token(self, fields: Mapping[str, str]) -> FloatReply:
        if (fields.get("userID"), fields.get("password")) != self._credentials:
            return float_reply(401, message="Invalid credentials")
        token = new_reference("NCBAOB", self._random, length=24)
        self._issued.append(token)
        ends_at = self._clock.now() + timedelta(seconds=SIMULATED_TOKEN_LIFE_S)
        self._tokens[b"Bearer " + token.encode()] = ends_at
        return float_reply(200, accessToken=token, tokenType="Bearer")

    def _admits(self, request: CallRequest) -> bool:
        ends_at = self._tokens.get(request.headers.get(b"authorization", b""))
        return ends_at is not None and self._clock.now() < ends_at

    def _buy(self, fields: Mapping[str, str], fault: Fault | None) -> FloatReply:
        for name, pattern in _PURCHASE_FIELDS.items():
            if not re.fullmatch(pattern, fields.get(name, "")):
                return float_refusal("float", f"Invalid {name}")
        if fields["reqDebitAmount"] != fields["reqCreditAmount"]:
            return float_refusal("float", "The amounts differ")
        if fields["reqDebitAccountNumber"] != self._debit_account:
            return float_refusal("float", "Unknown reqDebitAccountNumber")
        reference = fields["reqTransactionReferenceNo"]
        self._book.order_counts[reference] += 1
        first = self._book.find(reference)
        if first is not None:
            return _duplicate(first)
        amount, short_code = Money.of(fields["reqCreditAmount"]), fields["reqPayBillTillNo"]
        if fault is None:
            purchase = self._book.order(reference, amount, short_code)
            return float_reply(200, purchase, resultCode="000", statusDescription="Success")
        purchase = self._book.order(reference, amount, short_code, fault.fate, fault.fate_after)
        if fault.kind is FaultKind.DUPLICATE:  # an intermediary repeated the request
            return _duplicate(purchase)
        return _only_accepted(purchase)

    def bounce(self, request: CallRequest) -> None:
        """Take the money for an order and return it: nothing was bought."""
        fields = _read_texts(request.body) or {}
        if fields.get("reqTransactionReferenceNo"):
            self._book.bounce(
                fields["reqTransactionReferenceNo"],
                Money.of(fields["reqCreditAmount"]),
                fields["reqPayBillTillNo"],
            )

    def _status(self, fields: Mapping[str, str]) -> FloatReply:
        purchase, now = self._book.find(fields.get("transactionId", "")), self._clock.now()
        if purchase is None:
            return float_reply(
                200,
                resultCode=SIMULATED_NOT_FOUND_CODE,
                statusDescription="Transaction not found",
            )
        if purchase.failed_at <= now:
            return status_failed("The transaction was not settled")
        is_bought = purchase.booked_at <= now
        return float_reply(
            200,
            purchase if is_bought else None,
            Code="000",
            Description="Success",
            Transaction=_found("PASSED" if is_bought else "PENDING", purchase),
        )

    def _details(self) -> FloatReply:
        return float_reply(
            200,
            resErrorCode="000",
            resErrorDesc="Success",
            accountNo=self._debit_account,
            currency="KES",
            balance=self._book.balance().decimal,
        )

    def _statement(self, fields: Mapping[str, str]) -> FloatReply:
        """Between two Nairobi dates, inclusive."""
        start, end = _day(fields.get("fromDate", "")), _day(fields.get("toDate", ""))
        if start is None or end is None:
            return float_refusal("statement", "Invalid fromDate or toDate")
        lines = self._statements.fields(start, end)
        return float_reply(200, resErrorCode="000", resErrorDesc="Success", AccountStatement=lines)


def _day(text: str) -> date | None:
    """``ddmmYYYY``; ``None`` if there is no such date."""
    if not re.fullmatch("[0-9]{8}", text):
        return None
    try:
        return date(int(text[4:]), int(text[2:4]), int(text[:2]))
    except ValueError:
        return None


def _read_texts(body: bytes) -> Mapping[str, str] | None:
    """``None`` unless the body is an object whose values are all strings."""
    try:
        fields = json.loads(body)
    except ValueError:
        return None
    if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
        return None
    return fields
