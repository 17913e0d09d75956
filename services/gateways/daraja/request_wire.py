"""Requests to Daraja, and what its gateway answers to them at once (facts: Daraja 1, 2, 7).

What M-PESA makes of a request comes later, as a Result: see ``result_wire``.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field, ValidationError

from services.domain.bank import NoAnswer, NotSent, Unknown
from services.domain.doubtful_words import doubts, normalised
from services.domain.payout_answers import Acknowledged, Asked, PayoutOrder, Refused
from services.gateways.bank_answer import WireModel, read_answer, safe_line
from services.gateways.daraja.credentials import DarajaCredentials
from services.gateways.http_exchange import Reply
from services.gateways.tokens import Token, TokenText

TOKEN_LIFE_S = 3_599  # also the longest a token is kept

# Of the form of a request, looked at before M-PESA sees it. Any other code is not known to be
# final, and 500.002.1001 least of all: it says "duplicate" and "internal error".
_FORM_REFUSED = frozenset({"400.002.02", "400.002.05", "404.001.04", "404.002.01", "405.001"})
_TOKEN_REFUSED = frozenset({"404.001.03", "400.003.01", "401.002.01"})
_TOO_MANY = frozenset({"500.003.02", "500.003.03"})


class _TokenGiven(WireModel):
    access_token: TokenText = Field(repr=False)
    expires_in: int = TOKEN_LIFE_S


class _Taken(WireModel):
    code: str = Field(alias="ResponseCode")
    conversation_id: str = Field(alias="ConversationID", min_length=1, max_length=100)
    originator_id: str = Field(default="", alias="OriginatorConversationID")


@dataclass(frozen=True, slots=True)
class GatewayRefusal:
    """``code`` is empty where none can be read."""

    status: int
    code: str
    words: str
    has_taken: bool  # an id of M-PESA's stands in it too

    def __str__(self) -> str:
        # The words about a token repeat it.
        words = "" if self.code in _TOKEN_REFUSED else self.words
        return safe_line(f"HTTP {self.status} {self.code} {words}")

    @property
    def is_about_token(self) -> bool:
        """It comes before M-PESA has seen anything, so the request may be sent again."""
        says_so = "invalid access token" in normalised(self.words)
        is_clear = self.status // 100 == 4 and not self.has_taken
        return self.code in _TOKEN_REFUSED and says_so and is_clear

    @property
    def is_about_form(self) -> bool:
        is_clear = self.status // 100 == 4 and not self.has_taken and not doubts(self.words)
        return self.code in _FORM_REFUSED and is_clear

    @property
    def is_too_many(self) -> bool:
        return self.code in _TOO_MANY or self.status == 429


def payment_body(order: PayoutOrder, credentials: DarajaCredentials) -> dict[str, object]:
    """``InitiatorName`` and ``Occassion`` are spelled so in this API alone."""
    return {
        "OriginatorConversationID": order.originator_id,
        "InitiatorName": credentials.initiator_name,
        "SecurityCredential": credentials.security_credential,
        "CommandID": "BusinessPayment",
        "Amount": order.amount.whole_units,
        "PartyA": credentials.short_code,
        "PartyB": order.phone.msisdn,
        "Remarks": order.remarks,
        "QueueTimeOutURL": credentials.timeout_url,
        "ResultURL": credentials.result_url,
        "Occassion": order.originator_id,
    }


def status_body(originator_id: str, credentials: DarajaCredentials) -> dict[str, object]:
    """The occasion comes back with the Result, and tells what was asked."""
    return _query(credentials, "TransactionStatusQuery", "Status of a payment") | {
        "OriginalConversationID": originator_id,
        "Occasion": originator_id,
    }


def balance_body(credentials: DarajaCredentials) -> dict[str, object]:
    return _query(credentials, "AccountBalance", "Balance of the short code")


def _query(credentials: DarajaCredentials, command: str, remarks: str) -> dict[str, object]:
    return {
        "Initiator": credentials.initiator_name,
        "SecurityCredential": credentials.security_credential,
        "CommandID": command,
        "PartyA": credentials.short_code,
        "IdentifierType": "4",  # an organisation's short code
        "Remarks": remarks,
        "QueueTimeOutURL": credentials.timeout_url,
        "ResultURL": credentials.result_url,
    }


def read_refusal(reply: Reply) -> GatewayRefusal | None:
    """``None`` for what is no refusal by its status."""
    if reply.status // 100 == 2:
        return None
    parsed = read_answer(reply.body)
    if parsed is None:
        return GatewayRefusal(reply.status, "", "", has_taken=False)
    codes = parsed.codes
    return GatewayRefusal(
        reply.status,
        next(iter(codes)) if len(codes) == 1 else "",
        "; ".join(dict.fromkeys(parsed.words)),
        has_taken="conversationid" in parsed.names,
    )


def read_token(reply: Reply | NotSent | Unknown) -> Token | NotSent:
    """Whatever became of a token request, nothing has been ordered yet."""
    if not isinstance(reply, Reply):
        return NotSent(f"token: {reply.why}")
    if (refusal := read_refusal(reply)) is not None:
        return NotSent(f"token: {refusal}")
    try:
        given = _TokenGiven.model_validate_json(reply.body)
    except ValidationError:  # its message repeats the input, which may hold a token
        return NotSent("token: an answer of unknown shape")
    return Token(given.access_token, max(0, min(given.expires_in, TOKEN_LIFE_S)))


def read_payment_answer(reply: Reply, originator_id: str) -> Acknowledged | Refused | Unknown:
    """Any answer to the one order: taken, never entered, or unknown; never sent again."""
    if (refusal := read_refusal(reply)) is not None:
        if refusal.is_about_form:
            return Refused(str(refusal))
        return Unknown(str(refusal))
    taken = _read_taken(reply)
    if taken is None or taken.code != "0":
        return Unknown(f"HTTP {reply.status}, not known to be taken")
    if taken.originator_id not in ("", originator_id):
        return Unknown(f"HTTP {reply.status}, taken under another id")
    return Acknowledged(taken.conversation_id)


def read_query_answer(reply: Reply | NotSent | Unknown) -> Asked | NoAnswer:
    if not isinstance(reply, Reply):
        return NoAnswer(reply.why)
    if (refusal := read_refusal(reply)) is not None:
        return NoAnswer(str(refusal))
    taken = _read_taken(reply)
    if taken is None or taken.code != "0":
        return NoAnswer(f"HTTP {reply.status}, not known to be taken")
    return Asked(taken.conversation_id)


def _read_taken(reply: Reply) -> _Taken | None:
    if read_answer(reply.body) is None:  # also where a name comes twice
        return None
    try:
        return _Taken.model_validate_json(reply.body)
    except ValidationError:
        return None
