"""Removes phones, codes, tokens and this run's secrets from log lines.

This is the second line of defence: code should not pass these to the log in the first place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from structlog.typing import EventDict

HIDDEN = "***"
KNOWN_MIN = 4  # characters; hiding shorter secrets would garble every line
RANDOM_MIN = 43  # characters of 32 random bytes in base64
DEPTH_MAX = 8  # of nested containers; deeper ones are redacted as text

_HIDDEN_KEYS = re.compile(
    r"codes?|otp|pin|.*(?:tokens?|passwords?|passwd|secrets?|authorization|apikey|[_-]keys?)",
    re.IGNORECASE,
)
_WORD = r"(?:codes?|kodi|otp|pin)"
_SIX = r"(?<!\d)\d{3}[ -]?\d{3}(?!\d)"
_PATTERNS = (
    # A bot token, in a URL (facts: channels, Telegram) and elsewhere.
    (re.compile(r"/bot\d+(?::|%3A)[^/\s\"'?]+", re.IGNORECASE), f"/bot{HIDDEN}"),
    (re.compile(r"(?<!\d)\d{5,20}(?::|%3A)[A-Za-z0-9_-]{20,}", re.IGNORECASE), HIDDEN),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # password=…, 'apiKey': '…', Ocp-Apim-Subscription-Key: …
    (
        re.compile(
            r"((?:token|password|passwd|secret|authorization|api[_-]?key|subscription[_-]key)"
            r"[\"']?\s*[:=]\s*[\"']?)(?!bearer |basic |SecretStr)[^\s\"'&,;)}\]]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # 32 or more random bytes in base64: an invitation, a key, a sealed message, a signed token.
    (
        re.compile(
            r"(?<![A-Za-z0-9_-])(?=[a-z0-9_-]*[A-Z])(?=[A-Z0-9_-]*[a-z])[A-Za-z0-9_-]"
            rf"{{{RANDOM_MIN},}}=*"
        ),
        HIDDEN,
    ),
    (re.compile(rf"({_WORD}\b[^\d\n]{{0,24}}){_SIX}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"{_SIX}([^\d\n]{{0,24}}\b{_WORD})", re.IGNORECASE), rf"{HIDDEN}\1"),
)
_PHONE = re.compile(r"(?<!\d)(?:\+?254|0)[ -]?([17])((?:[ -]?\d){8})(?!\d)")
_PHONE_NUMBERS = (range(254_100_000_000, 254_200_000_000), range(254_700_000_000, 254_800_000_000))
# An exception not yet formatted, a timestamp, and the fields of a library's record.
_MADE_BY_STRUCTLOG = frozenset({"exc_info", "timestamp", "_record", "_from_structlog"})


class Redactor:
    """A structlog processor, to be placed after those that format exceptions.

    ``known`` are secrets, which are hidden wherever they occur.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        forms = {
            form
            for secret in known
            if len(secret) >= KNOWN_MIN
            for form in (secret, quote(secret, ""))
        }
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, logger: object, method: str, event: EventDict) -> EventDict:
        return {
            name: value if name in _MADE_BY_STRUCTLOG else self._entry(name, value)
            for name, value in event.items()
        }

    def text(self, text: str) -> str:
        """The text with everything confidential hidden."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        if text.isalpha() and len(text) < RANDOM_MIN:  # a single word, as most values are
            return text
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return _PHONE.sub(_mask_phone, text)

    def _entry(self, name: str, value: object, depth: int = 0) -> object:
        if value is not None and not isinstance(value, bool) and _is_hidden(name):
            return HIDDEN
        return self._value(value, depth)

    def _value(self, value: Any, depth: int) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int):
            is_phone = any(value in numbers for numbers in _PHONE_NUMBERS)
            return self.text(str(value)) if is_phone else value
        if value is None or isinstance(value, float):
            return value
        if depth < DEPTH_MAX:
            if isinstance(value, Mapping):
                return {
                    self._key(name): self._entry(str(name), item, depth + 1)
                    for name, item in value.items()
                }
            if isinstance(value, list | tuple | set | frozenset):
                return [self._value(item, depth + 1) for item in value]
        return self.text(repr(value))

    def _key(self, name: object) -> str:
        return self.text(str(name))


@lru_cache(maxsize=1_024)
def _is_hidden(name: str) -> bool:
    return _HIDDEN_KEYS.fullmatch(name) is not None


def _mask_phone(match: re.Match[str]) -> str:
    """Formatted as ``Phone.masked``, whatever the spelling."""
    return f"254{match[1]}*****{re.sub('[^0-9]', '', match[2])[-3:]}"
