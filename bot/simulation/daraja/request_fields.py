"""What the gateway looks at before a request reaches M-PESA (facts: Daraja 2 and 7).

It knows forms, not people: whether an initiator exists or a credential is right, M-PESA says in a
Result. Numbers may come as numbers or as text. Fields that an API does not have are ignored, a
misspelled one included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from bot.simulation.daraja.gateway_errors import WRONG_BODY, GatewayError, wrong_field
from bot.simulation.simulated_api import CallRequest

_NAME = r"[A-Za-z0-9_.@-]{1,64}"
_CREDENTIAL = r"\S{1,1024}"
_SHORT_CODE = r"[0-9]{5,7}"
_REMARKS = r"[ -~]{2,100}"
# Public, so no host of one's own machine or network; a port is allowed.
_URL = (
    r"https://(?!localhost|127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2[0-9]|3[01])\.)"
    r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[!-~]*)?"
)
_MARKUP = re.compile(r"[<>&\"]")  # not in remarks

_PAYOUT = {
    "OriginatorConversationID": r"[A-Za-z0-9_-]{1,36}",  # "< 20", yet the samples have 24-36
    "InitiatorName": _NAME,  # ``Initiator`` in the other APIs
    "SecurityCredential": _CREDENTIAL,
    "CommandID": r"BusinessPayment|SalaryPayment|PromotionPayment",
    "Amount": r"[1-9][0-9]{0,8}",  # whole KES; M-PESA itself says what is too little or too much
    "PartyA": _SHORT_CODE,
    "PartyB": r"254[17][0-9]{8}",
    "Remarks": _REMARKS,
    "QueueTimeOutURL": _URL,
    "ResultURL": _URL,
    "Occassion": r"[ -~]{1,100}",
}
_STATUS = {
    "Initiator": _NAME,
    "SecurityCredential": _CREDENTIAL,
    "CommandID": r"TransactionStatusQuery",
    "TransactionID": r"[A-Z0-9]{8,12}",
    "OriginalConversationID": r"[A-Za-z0-9_-]{1,36}",
    "PartyA": _SHORT_CODE,
    "IdentifierType": r"4",
    "ResultURL": _URL,
    "QueueTimeOutURL": _URL,
    "Remarks": r"[ -~]{1,100}",
    "Occasion": r"[ -~]{1,100}",
}
_BALANCE = {
    "Initiator": _NAME,
    "SecurityCredential": _CREDENTIAL,
    "CommandID": r"AccountBalance",
    "PartyA": _SHORT_CODE,
    "IdentifierType": r"4",
    "Remarks": r"[ -~]{1,100}",
    "QueueTimeOutURL": _URL,
    "ResultURL": _URL,
}
_RULES = {"payout": _PAYOUT, "payout-status": _STATUS, "payout-balance": _BALANCE}
_OPTIONAL = {"Occassion", "Occasion", "TransactionID", "OriginalConversationID"}

Fields = Mapping[str, str]


def read_fields(call: str, request: CallRequest) -> Fields | GatewayError:
    """The fields of the call as texts; those left out or empty are not among them."""
    rules = _RULES[call]
    if not request.headers.get(b"content-type", b"").startswith(b"application/json"):
        return wrong_field(next(name for name in rules if name.startswith("Initiator")))
    try:
        body = json.loads(request.body)
    except ValueError:
        return WRONG_BODY
    if not isinstance(body, dict):
        return WRONG_BODY
    fields: dict[str, str] = {}
    for name, form in rules.items():
        text = _text(body.get(name))
        if text == "" and name in _OPTIONAL:
            continue
        if text is None or not re.fullmatch(form, text):
            return wrong_field(name)
        if name == "Remarks" and _MARKUP.search(text):
            return wrong_field(name)
        fields[name] = text
    if call == "payout-status" and not fields.keys() & {"TransactionID", "OriginalConversationID"}:
        return wrong_field("TransactionID")
    return fields


def _text(value: object) -> str | None:
    """``None`` for what is neither text nor a whole number; nothing at all is empty text."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value)
