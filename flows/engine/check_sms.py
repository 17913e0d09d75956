"""Checks that SMS texts fit at their widest: codes in one part, everything else in a few.

Run with the flow checks, in every language (facts: channels; ``services.domain.gsm7``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flows.engine.declarations import Declarations, waits
from flows.engine.nodes import Code, Do, End
from flows.engine.session import FlowRegistry
from flows.engine.texts import Texts, placeholders
from services.domain.gsm7 import as_sms_text, parts, septets
from services.domain.message import signed
from services.domain.payout_answers import RECIPIENT_NAME_MAX

CODES = "sms."  # all texts under this key carry a code
LINES = "digest."  # all texts under this key may stand in one digest together
# Sent by SMS as well as in the chat, or instead of it: a person may have none to write to.
NOTICES = (
    "notice.low_wallet",
    "notice.low_float",
    "notice.digest",
    "notice.moved_phone",
    "notice.moved_mail",
    "notice.restored_float",
    "notice.restored_payout",
    "notice.credited",
    "notice.reversed",
    "notice.reversed_due",
    "notice.adjusted_credit",
    "notice.adjusted_debit",
    "notice.float_approval",
    "notice.float_approved",
    "notice.payout_approval",
    "notice.payout_approved",
    "notice.float_approved_pin",
    "notice.second_set",
    "notice.second_cleared",
    "notice.further_account",
    "notice.pin_locked",
    "notice.payouts_frozen",
    "notice.payouts_thawed",
    "notice.ceiling_set",
    "notice.ceiling_taken",
)
PARTS_MAX = 3  # for texts without a code

MONEY = "KES 99,999,999.99"
_CODE_OF_PARTNER = "W" * 16
_NAME = "W" * 40
_MOMENT = "30 Sept 2026, 23:59"
_PHONE = "0712 345 678"
WIDEST: Mapping[str, str] = {
    **dict.fromkeys(
        ("amount", "total", "fees", "balance", "float", "wallet", "mark", "received", "bought"),
        MONEY,
    ),
    **dict.fromkeys(("due", "above"), MONEY),
    **dict.fromkeys(("code_of", "partner"), _CODE_OF_PARTNER),
    **dict.fromkeys(("at", "until"), _MOMENT),
    **dict.fromkeys(("topups", "purchases", "open"), "9999"),
    "count": "9999",
    "held": "9999",
    "key": "hz_WWWWWW",
    "who": _NAME,
    **dict.fromkeys(("phone", "payee", "recipient"), _PHONE),
    **dict.fromkeys(("reference", "reversal"), "TU-7K3QF9"),
    "receipt": "W" * 20,
    "mpesa": " M-PESA receipt " + "W" * 20,
    "name": "W" * RECIPIENT_NAME_MAX,
    "payer": _PHONE,
    "destination": "4…187",
}


def sms_errors(flows: FlowRegistry, texts: Texts, declared: Declarations) -> Iterator[str]:
    """Every text that is not GSM-7, is too long, or has a placeholder of unknown width."""
    for language in texts.languages:
        said = texts.keys(language)
        reasons = [one for key, one in said.items() if key.startswith("reason.")]
        lines = [texts.say(language, key, WIDEST) for key in said if key.startswith(LINES)]
        widest = {
            **WIDEST,
            "reason": max(reasons, key=len, default=""),
            "more": "".join(f"\n{line}" for line in lines),
        }
        for key in said:
            if key.startswith(CODES):
                yield from _fits(texts, language, key, {**widest, "code": "123456"}, 1)
        for key in (*NOTICES, *_outcomes(flows, declared)):
            if key in said:
                facts = {**widest, "code": _CODE_OF_PARTNER}
                yield from _fits(texts, language, key, facts, PARTS_MAX)


def _fits(
    texts: Texts, language: str, key: str, facts: Mapping[str, str], most: int
) -> Iterator[str]:
    unknown = placeholders(texts.keys(language)[key]) - facts.keys()
    if unknown:
        yield f"{language}: {key} may go by SMS, and how wide is {', '.join(sorted(unknown))}?"
        return
    text = as_sms_text(signed(texts.say(language, key, facts)))
    if septets(text) is None:
        yield f"{language}: {key} may go by SMS, and is not GSM-7"
    elif parts(text) > most:
        yield f"{language}: {key} is {parts(text)} SMS at its widest, of {most} at most"


def _outcomes(flows: FlowRegistry, declared: Declarations) -> Iterator[str]:
    """Outcomes of operations: the receipt goes by SMS when the chat cannot be reached."""
    for flow in flows:
        ends = {node.id for node in flow.nodes if isinstance(node, End)}
        waiting = [
            node for node in flow.nodes if isinstance(node, Do) and waits(declared, node.use_case)
        ]
        if not any(node.money for node in waiting):
            continue
        for node in flow.nodes:
            if isinstance(node, Code) or node in waiting:
                yield from (f"{flow.name}.{end}.ask" for end in node.on.values() if end in ends)
