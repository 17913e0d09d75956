"""PINs and one-time codes in what people type, wherever they type them.

What is recognised here is deleted where the channel can, is never repeated in an answer, and gets
no further than the use case of a code. It errs on the side of taking away: a reason that names a
PIN has to be written without its digits.
"""

from __future__ import annotations

import re
import unicodedata

from flows.engine.nodes import Ask, Code, Do, Node, SecretKind
from flows.engine.session import Frame, Session
from services.domain.otp import read_code

TEXT_MAX = 600  # characters: a pasted message; more is looked at no further

# Four digits, also with blanks or dashes between, that are no part of a longer number or an amount.
_FOUR = r"(?<![0-9.,])[0-9](?:[ -]?[0-9]){3}(?![ -]?[0-9]|[.,][0-9])"
_PIN = r"(?:p\.i\.n\b\.?|pin\b|pin(?=[0-9])|siri\b)"
_SAYS_PIN = re.compile(
    rf"\b{_PIN}[^0-9.,;\n]{{0,24}}{_FOUR}"
    rf"|{_FOUR}\W{{0,4}}(?:is|ni|ndio|ndiyo|=)?\W{{0,3}}(?:my|the|yangu)?\W{{0,3}}\b{_PIN}",
    re.IGNORECASE,
)
_BESIDE = r"(?:\W|\b(?:ok|okay|sawa|poa|yes|ndio|ndiyo|it|its|is|ni|my|thanks|asante)\b)*"
_ONLY_FOUR = re.compile(rf"{_BESIDE}{_FOUR}{_BESIDE}", re.IGNORECASE)
_SIX = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_BARE_SIX = re.compile(r"[0-9]{6}|[0-9]{3}[ -][0-9]{3}|[0-9]{2}([ -])[0-9]{2}\1[0-9]{2}")
_SAYS_CODE = re.compile(
    r"\b(?:code|otp|msimbo)\b\D{0,16}(?<![0-9])[0-9]{6}(?![0-9])", re.IGNORECASE
)


def plain_digits(text: str) -> str:
    """With digits of every script as ASCII, so that none hides a PIN."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if unicodedata.decimal(char, None) is not None else char
        for char in text
    )


def is_pin(session: Session, text: str) -> bool:
    """Whether somebody types an M-PESA PIN: says that it is one, or types nothing but four digits
    while a payment is waited for and no question is open. Where a desk PIN is asked for, what is
    typed is one."""
    if asks_for(session.current_node, SecretKind.PIN):
        return False
    text = plain_digits(text[:TEXT_MAX])
    if not any(map(str.isdigit, text)):
        return False
    if _SAYS_PIN.search(text):
        return True
    is_asked = isinstance(session.current_node, Ask | Code)
    if is_asked or not any(map(_waits_for_money, session.frames)):
        return False
    return _ONLY_FOUR.fullmatch(text) is not None


def find_code(text: str) -> str | None:
    """The code at a question for one: typed alone, or the only six digits of a pasted message."""
    code = read_code(text)
    if code is not None:
        return code
    found = _SIX.findall(text[:TEXT_MAX])
    return found[0] if len(found) == 1 else None


def is_stray_code(session: Session, text: str) -> bool:
    """Whether it looks like a code though none is asked for here: by what it says of itself, alone
    where no number is asked for, or in any text while a code is waited for elsewhere."""
    node = session.current_node
    text = text[:TEXT_MAX].strip()
    if isinstance(node, Code) or not any(map(str.isdigit, text)):
        return False
    has_six = _SIX.search(text) is not None or read_code(text) is not None
    if has_six and any(map(_stands_at_code, session.frames)):
        return True
    if _SAYS_CODE.search(text):
        return True
    return not isinstance(node, Ask) and _BARE_SIX.fullmatch(text) is not None


def may_be_secret(session: Session, text: str) -> bool:
    """Whether the text is deleted from the chat: a PIN, a code, or whatever is typed for a code."""
    if isinstance(session.current_node, Code):
        return True
    return is_pin(session, text) or is_stray_code(session, text)


def asks_for(node: Node | None, kind: SecretKind) -> bool:
    return isinstance(node, Code) and node.reads is kind


def _stands_at_code(frame: Frame) -> bool:
    return asks_for(frame.current_node, SecretKind.CODE)


def _waits_for_money(frame: Frame) -> bool:
    node = frame.current_node
    return frame.waiting is not None and isinstance(node, Do) and node.money
