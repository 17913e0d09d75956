"""How a Result can differ from the usual one (``@bank result SHAPE on payout``).

Some were seen with Daraja (facts: Daraja 5 and 7); that it should name another amount or another
phone, or contradict itself, nobody may rely on never seeing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from bot.simulation.daraja.result_codes import PAID, UTILITY_SHORT, text_of
from bot.simulation.daraja.wire_ids import WireIds
from bot.simulation.faults import ResultShape

Result: TypeAlias = dict[str, Any]

# Nobody has to believe a payment that is told like this.
DOUBTFUL = {
    ResultShape.MORE_TO_COME,
    ResultShape.OTHER_AMOUNT,
    ResultShape.OTHER_PHONE,
    ResultShape.CONTRADICTS,
}
_SHOWN = {"TransactionReceipt", "ReceiptNo", "AccountBalance"}  # where only one is shown


def reshape(result: Result, shape: ResultShape, ids: WireIds) -> None:
    """Change ``result`` in place. A failure has no parameters, so many shapes leave it alone."""
    if shape is ResultShape.OTHER_ORIGINATOR:
        result["OriginatorConversationID"] = ids.gateway()
    else:
        _CHANGES[shape](result)


def _parameters(result: Result) -> list[dict[str, Any]]:
    found = result.get("ResultParameters", {}).get("ResultParameter", [])
    return found if isinstance(found, list) else [found]


def _set(result: Result, change: Callable[[str, Any], Any]) -> None:
    for one in _parameters(result):
        if "Value" in one:
            one["Value"] = change(one["Key"], one["Value"])


def _one_object(result: Result) -> None:
    shown = [one for one in _parameters(result) if one["Key"] in _SHOWN]
    if shown:
        result["ResultParameters"] = {"ResultParameter": shown[0]}


def _absent(result: Result) -> None:
    result.pop("ResultParameters", None)


def _other_type_of_code(result: Result) -> None:
    code = result["ResultCode"]
    if isinstance(code, int):
        result["ResultCode"] = str(code)
    elif code.isdigit():
        result["ResultCode"] = int(code)


def _other_conversation(result: Result) -> None:
    day, _, rest = result["ConversationID"].rpartition("_")
    result["ConversationID"] = f"{day}_{rest[::-1]}"


def _no_value(result: Result) -> None:
    for one in _parameters(result):
        if one["Key"] not in _SHOWN:
            one.pop("Value", None)


def _more_to_come(result: Result) -> None:
    result["ResultType"] = 1


def _other_amount(result: Result) -> None:
    _set(result, lambda key, value: int(value) + 1 if key.endswith("Amount") else value)


def _other_phone(result: Result) -> None:
    def changed(key: str, value: Any) -> Any:
        return _other_digits(value) if key in _PARTIES else value

    _set(result, changed)


def _masked(result: Result) -> None:
    def masked(key: str, value: Any) -> Any:
        return f"{value[:4]}*****{value[9:]}" if _names_phone(key, value) else value

    _set(result, masked)


def _credit_party(result: Result) -> None:
    for one in _parameters(result):
        if one["Key"] == "DebitPartyName" and _names_phone(one["Key"], one["Value"]):
            one["Key"] = "CreditPartyName"


def _contradicts(result: Result) -> None:
    is_paid = str(result["ResultCode"]) == PAID
    result["ResultDesc"] = text_of(UTILITY_SHORT if is_paid else PAID)


_PARTIES = {"ReceiverPartyPublicName", "DebitPartyName"}


def _names_phone(key: str, value: Any) -> bool:
    return key in _PARTIES and str(value).startswith("254")


def _other_digits(value: Any) -> Any:
    """Another phone before the same name; the short code stays."""
    if not str(value).startswith("254"):
        return value
    last = (int(value[11]) + 1) % 10
    return f"{value[:11]}{last}{value[12:]}"


_CHANGES: dict[ResultShape, Callable[[Result], None]] = {
    ResultShape.ONE_OBJECT: _one_object,
    ResultShape.ABSENT: _absent,
    ResultShape.CODE_TYPE: _other_type_of_code,
    ResultShape.OTHER_CONVERSATION: _other_conversation,
    ResultShape.NO_VALUE: _no_value,
    ResultShape.MORE_TO_COME: _more_to_come,
    ResultShape.OTHER_AMOUNT: _other_amount,
    ResultShape.OTHER_PHONE: _other_phone,
    ResultShape.MASKED: _masked,
    ResultShape.CREDIT_PARTY: _credit_party,
    ResultShape.CONTRADICTS: _contradicts,
}
