"""The simulated bank's collections API without faults, in NCBA's wire format.

Texts and shapes are the real bank's (facts: NCBA 1), including refusals sent with status 200.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.simulation.ncba.handsets import Handsets
from bot.simulation.ncba.prompts import PromptRegistry, PromptState, SentPrompt
from bot.simulation.simulated_api import CallReply, CallRequest, html_reply
from services.domain.ids import RandomSource, new_reference
from services.gateways.ncba.collections_wire import PNG
from services.ports import Clock

TOKEN_LIFE_S = 18_000

_LIBRARY_AGENTS = re.compile(
    rb"python|httpx|aiohttp|curl|wget|okhttp|java|apache|go-http|axios|node|postman", re.IGNORECASE
)
_PHONE = re.compile(r"254[17][0-9]{8}")
_TILL = re.compile(r"[A-Za-z0-9]+#[A-Za-z0-9 -]{1,40}")
_AMOUNT = re.compile(r"[1-9][0-9]{0,8}")
_INITIATE_FIELDS = (
    "TelephoneNo",
    "Amount",
    "PayBillNo",
    "AccountNo",
    "Network",
    "TransactionType",
)
# Successive queries of an open prompt return these in turn, as seen live. None of them predicts the
# outcome.
_OPEN = (
    ("FAILED", "The transaction is still under processing"),
    ("PENDING", "Pending"),
    ("FAILED", "System internal error."),
    ("FAILED", "Error occurred while processing query"),
)
# M-PESA's own texts as the bank was seen to pass them on (sources in tests/kit/mpesa_texts.py).
_ENDED = {
    PromptState.PAID: ("SUCCESS", "Success"),
    PromptState.CANCELLED: ("FAILED", "[STK_CB - ]Request cancelled by user"),
    PromptState.WRONG_PIN: ("FAILED", "[MpesaCB - ]The initiator information is invalid."),
    PromptState.NO_FUNDS: (
        "FAILED",
        "[MpesaCB - ]The balance is insufficient for the transaction.",
    ),
    PromptState.UNREACHABLE: ("FAILED", "[STK_CB - ]DS timeout user cannot be reached."),
    PromptState.EXPIRED: ("FAILED", "Transaction has expired"),
}


class AcceptedAccounts(StrEnum):
    """What ``AccountNo`` of a prompt may be, by the product NCBA sold (facts: NCBA 6)."""

    ANY = "any"
    REGISTERED = "registered"  # only the account number


@dataclass(frozen=True, slots=True)
class BankReply(CallReply):
    """``reported_payment`` is the payment that this answer reports."""

    reported_payment: SentPrompt | None = None


def json_reply(
    http_status: int, reported_payment: SentPrompt | None = None, /, **fields: object
) -> BankReply:
    return BankReply(http_status, json.dumps(fields).encode(), reported_payment=reported_payment)


def in_band_refusal(reason: str) -> BankReply:
    """NCBA answers 200 to a prompt it will not send."""
    return json_reply(
        200, TransactionID=None, StatusCode="1", StatusDescription=reason, ReferenceID=None
    )


def qr_refusal(reason: str) -> BankReply:
    return json_reply(200, StatusCode="2", StatusDescription=reason, Base64QrCode="")


def refusal(call: str, reason: str) -> BankReply:
    if call == "initiate":
        return in_band_refusal(reason)
    if call == "qr":
        return qr_refusal(reason)
    status = 401 if call == "token" else 400
    return json_reply(status, message=reason, status=str(status))


def contradiction() -> BankReply:
    """A success status with a failure description."""
    return json_reply(200, status="SUCCESS", description="Request cancelled by user")


class CollectionsApi:
    """Authenticates requests, and reads and writes the bank's books."""

    def __init__(
        self,
        clock: Clock,
        random: RandomSource,
        prompts: PromptRegistry,
        handsets: Handsets,
        *,
        username: str,
        password: str,
        paybill_no: str,
        account_number: str,
    ) -> None:
        self.account_nos = AcceptedAccounts.ANY
        self._clock = clock
        self._random = random
        self._prompts = prompts
        self._handsets = handsets
        self._basic = b"Basic " + base64.b64encode(f"{username}:{password}".encode())
        self._paybill_no = paybill_no
        self._account_number = account_number
        self._tokens: dict[bytes, datetime] = {}
        self._issued: list[str] = []

    def answer(self, call: str, request: CallRequest) -> CallReply:
        agent = request.headers.get(b"user-agent", b"")
        if not agent or _LIBRARY_AGENTS.search(agent):
            return html_reply(403)
        if call == "token":
            return self._give_token(request)
        if not self._admits(request):
            return json_reply(401, message="Invalid token", status="401")
        fields = _read_fields(request.body)
        if fields is None:
            return json_reply(400, message="Invalid request", status="400")
        if call == "qr":
            return self._picture(fields)
        return self._initiate(fields) if call == "initiate" else self._query(fields)

    def with_previous_id(self, request: CallRequest) -> BankReply:
        """Send a prompt but answer with an id that was already used."""
        before = self._prompts.every()
        reply = self.answer("initiate", request)
        fields = json.loads(reply.body)
        if before and fields.get("StatusCode") == "0":
            fields["TransactionID"] = before[-1].transaction_id
        return json_reply(reply.status, **fields)

    def issued_tokens(self) -> tuple[str, ...]:
        return tuple(self._issued)

    def revoke_tokens(self) -> None:
        """The bank forgets every token it issued, as after its own restart."""
        self._tokens.clear()

    def _give_token(self, request: CallRequest) -> BankReply:
        if request.headers.get(b"authorization") != self._basic:
            return json_reply(401, message="Invalid API credentials", status="401")
        token = new_reference("NCBA", self._random, length=24)
        self._issued.append(token)
        self._tokens[b"Bearer " + token.encode()] = self._clock.now() + timedelta(
            seconds=TOKEN_LIFE_S
        )
        return json_reply(
            200, access_token=token, token_type="Bearer", expires_in=TOKEN_LIFE_S, status=200
        )

    def _admits(self, request: CallRequest) -> bool:
        expires_at = self._tokens.get(request.headers.get(b"authorization", b""))
        return expires_at is not None and self._clock.now() < expires_at

    def _initiate(self, fields: Mapping[str, object]) -> BankReply:
        values = {name: fields.get(name) for name in _INITIATE_FIELDS}
        texts = {name: value for name, value in values.items() if isinstance(value, str)}
        if len(texts) < len(_INITIATE_FIELDS):
            return in_band_refusal("Invalid request: every value is a string")
        if not _PHONE.fullmatch(texts["TelephoneNo"]):
            return in_band_refusal("Invalid TelephoneNo: use 254XXXXXXXXX")
        if not _AMOUNT.fullmatch(texts["Amount"]):
            return in_band_refusal("Invalid Amount")
        if texts["PayBillNo"] != self._paybill_no or not texts["AccountNo"]:
            return in_band_refusal("Invalid PayBillNo or AccountNo")
        if (
            self.account_nos is AcceptedAccounts.REGISTERED
            and texts["AccountNo"] != self._account_number
        ):
            return in_band_refusal("Invalid AccountNo: wrong format")
        if (texts["Network"], texts["TransactionType"]) != ("Safaricom", "CustomerPayBillOnline"):
            return in_band_refusal("Invalid Network or TransactionType")
        prompt = self._prompts.send(texts["TelephoneNo"], int(texts["Amount"]), texts["AccountNo"])
        self._handsets.show(prompt)
        return json_reply(
            200,
            TransactionID=prompt.transaction_id,
            StatusCode="0",
            StatusDescription="Success. Request accepted for processing",
            ReferenceID=prompt.reference_id,
        )

    def _picture(self, fields: Mapping[str, object]) -> BankReply:
        till, amount = fields.get("till"), fields.get("amount")
        if not isinstance(till, str) or not _TILL.fullmatch(till):
            return qr_refusal("Invalid till")
        if not isinstance(amount, int) or amount < 1:
            return qr_refusal("Invalid amount")
        picture = base64.b64encode(_png()).decode()
        return json_reply(
            200,
            StatusCode="0",
            StatusDescription="Success",
            Base64QrCode=f"data:image/png;base64,{picture}",
        )

    def _query(self, fields: Mapping[str, object]) -> BankReply:
        prompt = self._prompts.find(str(fields.get("TransactionID")))
        if prompt is None:
            return json_reply(200, status="FAILED", description="Transaction not found")
        prompt.queries += 1
        if prompt.state is PromptState.OPEN:
            status, description = _OPEN[(prompt.queries - 1) % len(_OPEN)]
        else:
            status, description = _ENDED[prompt.state]
        reported_payment = prompt if prompt.state is PromptState.PAID else None
        return json_reply(200, reported_payment, status=status, description=description)


def _png() -> bytes:
    """A one-pixel image in place of a QR code, which nobody scans here."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + checksum

    header = (1).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    dot = zlib.compress(b"\x00\xff")
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", dot) + chunk(b"IEND", b"")


def _read_fields(body: bytes) -> Mapping[str, object] | None:
    try:
        fields = json.loads(body)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
