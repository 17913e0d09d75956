"""The body of a notification from either NCBA product (facts: NCBA 2 and 6): its fields as
received, and a copy without secrets for people to inspect."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

FIELDS_MAX = 64  # a notification has thirteen
FIELD_MAX = 512  # characters per value
DEPTH_MAX = 6  # nesting of lists and objects, as stored
KEPT_MAX = 4 * 1024  # bytes stored of an unreadable body
REQUEST = "NCBAPaymentNotificationRequest"
HIDDEN = "***"

# Words in the name of a secret value, whoever put it there.
_SECRET = r"user|pass|pwd|hash|secret|token|auth"
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
# A secret value by its name, in JSON, as an element, as an attribute or in a form; if unterminated,
# it extends to the end. Each is scanned once from left to right: what a stranger repeats ten
# thousand times must not be retried from each position.
_NAMED = (
    re.compile(
        rf"""("(?=[^"]*?(?:{_SECRET}))[^"]*+"\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^,}}\]\s]+)""",
        re.I,
    ),
    re.compile(
        rf"(<(?!/)(?=[^<>]*?(?:{_SECRET}))[^<>]*+>)(?:<!\[CDATA\[(?:(?!\]\]>).)*|[^<]+)",
        re.I | re.S,
    ),
    re.compile(
        rf"""((?:{_SECRET})[\w-]{{0,64}}["']?\s*[=:]\s*)(?:"[^"]*"?|'[^']*'?|[^&\s<>,;"']+)""", re.I
    ),
)
_LOOKS_HASHED = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")


class NotificationProduct(StrEnum):
    """Which notifications NCBA sends: about the paybill, or about the account behind it."""

    PAYBILL = "paybill"
    ACCOUNT = "account"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class NotifyCredentials:
    """The credentials that NCBA must present, and our own numbers: ``bank_account`` is our account
    at the bank, if payers type a different one. ``fixed_words`` name our account and nothing else,
    such as what a prompt carries besides its reference."""

    username: str
    password: str = field(repr=False)
    secret_key: str = field(repr=False)
    paybill_no: str
    account_number: str
    bank_account: str = ""
    fixed_words: tuple[str, ...] = ()
    product: NotificationProduct = NotificationProduct.BOTH

    @property
    def accounts(self) -> frozenset[str]:
        """Accounts the money may have come to."""
        return frozenset({self.paybill_no, self.account_number, self.bank_account} - {""})

    @property
    def ours(self) -> Collection[str]:
        """Texts that name our account, and nothing that was paid for."""
        return (*self.accounts, *self.fixed_words)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Longest first: one may be part of another."""
        found = {self.username, self.password, self.secret_key} - {""}
        return tuple(sorted(found, key=len, reverse=True))


class _Object(list[tuple[str, object]]):
    """A JSON object as received, in which a name may be repeated."""


@dataclass(frozen=True, slots=True)
class NotificationBody:
    """``fields`` are the texts, exactly as received; ``unreadable`` names fields that cannot be
    read: not text, too long, or repeated; ``pairs`` is everything, in order. ``other_layout``: if a
    value has several names, the last is tried first."""

    fields: Mapping[str, str]
    unreadable: frozenset[str]
    pairs: tuple[tuple[str, object], ...]
    other_layout: bool = False

    def first_value(self, names: tuple[str, ...]) -> str:
        """The first of these that is readable, or empty."""
        ordered = names[::-1] if self.other_layout else names
        return next((self.fields[name] for name in ordered if name in self.fields), "")

    def can_read(self, values: Iterable[tuple[str, ...]]) -> bool:
        """Whether each of these is readable under one of its names, or absent: an odd value under
        another layout's name does no harm to this one."""
        return all(
            self.unreadable.isdisjoint(names) or not self.fields.keys().isdisjoint(names)
            for names in values
        )


def read_body(body: bytes, *, xml: bool) -> NotificationBody | None:
    """``None`` if it cannot be parsed. The size is limited by whoever received it."""
    pairs = _read_xml(body) if xml else _read_json(body)
    if pairs is None or len(pairs) > FIELDS_MAX:
        return None
    fields: dict[str, str] = {}
    unreadable: set[str] = set()
    for name, value in pairs:
        text = "" if value is None else value
        if name in fields or not isinstance(text, str) or not _is_plain(text):
            unreadable.add(name)
        else:
            fields[name] = text
    return NotificationBody(
        {name: fields[name] for name in fields if name not in unreadable},
        frozenset(unreadable),
        pairs,
    )


def redacted_fields(body: NotificationBody, credentials: NotifyCredentials) -> str:
    """All its fields as JSON, with secrets removed wherever they are."""
    found: dict[str, str] = {}
    for name, value in body.pairs:
        if _SECRET_NAME.search(name):
            continue
        text = value if isinstance(value, str) else _as_json(value)
        shown = _redact(name, credentials)[:FIELD_MAX]
        if shown in found:
            shown = f"{shown} ({len(found)})"
        found[shown] = _printable(_redact(text, credentials))[:FIELD_MAX]
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def redacted_body(body: bytes, credentials: NotifyCredentials) -> str:
    """An unreadable body as received: its first 4 KiB, with secrets removed."""
    text = _redact(_text(body), credentials)
    for named in _NAMED:
        text = named.sub(rf"\g<1>{HIDDEN}", text)
    text = _printable(_LOOKS_HASHED.sub(HIDDEN, text)).encode()[:KEPT_MAX].decode("utf-8", "ignore")
    return json.dumps({"bytes": len(body), "text": text}, ensure_ascii=False)


def _text(body: bytes) -> str:
    """In any encoding, because a secret is recognised by its letters."""
    if body.count(0) * 3 > len(body):  # every second byte is zero in mostly Latin UTF-16
        return body.decode("utf-16-be" if body[:1] == b"\x00" else "utf-16-le", "replace")
    body = body.replace(b"\x00", b"")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


# Secrets ---------------------------------------------------------------------------------------


def _redact(text: str, credentials: NotifyCredentials) -> str:
    return _pattern(credentials.secrets).sub(HIDDEN, text)


@lru_cache(maxsize=8)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str]:
    spelled = ("".join(map(_spelled, secret)) for secret in secrets)
    return re.compile("|".join(spelled) or "(?!)")


def _spelled(char: str) -> str:
    """One character in any JSON, XML or URL encoding."""
    code = ord(char)
    spellings = {
        char,
        escape(char, {'"': "&quot;", "'": "&apos;"}),
        quote(char, safe=""),
        json.dumps(char, ensure_ascii=False)[1:-1],
        rf"\{char}",
    }
    plain = "|".join(re.escape(one) for one in sorted(spellings, key=len, reverse=True))
    return rf"(?:{plain}|\\u(?i:{code:04x})|&#0*{code};|&#[xX]0*(?i:{code:x});|(?i:%{code:02x}))"


# The two forms ---------------------------------------------------------------------------------


def _read_json(body: bytes) -> tuple[tuple[str, object], ...] | None:
    """One object; numbers keep their original form."""
    try:
        found = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_Object,
            parse_float=str,
            parse_int=str,
        )
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, _Object) or not all(_is_plain(name) for name, _ in found):
        return None
    return tuple(found)


def _read_xml(body: bytes) -> tuple[tuple[str, object], ...] | None:
    """The elements of the request, inside whatever envelope; namespaces are ignored."""
    try:
        root = fromstring(body.decode("utf-8-sig").strip())
    except (ValueError, ParseError, DefusedXmlException):
        return None
    requests = [element for element in root.iter() if _local(element.tag) == REQUEST]
    if len(requests) != 1:
        return None
    return tuple(
        (_local(child.tag), list(child.itertext()) if len(child) else child.text or "")
        for child in requests[0]
    )


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _is_plain(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, written as \ud800
        return False
    return len(text) <= FIELD_MAX and "\x00" not in text


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")


def _as_json(value: object) -> str:
    return json.dumps(_without_secrets(value, DEPTH_MAX), ensure_ascii=False)


def _without_secrets(value: object, depth: int) -> object:
    if isinstance(value, list) and depth == 0:
        return "…"
    if isinstance(value, _Object):
        return {
            name: _without_secrets(one, depth - 1)
            for name, one in value[:FIELDS_MAX]
            if not _SECRET_NAME.search(name)
        }
    if isinstance(value, list):
        return [_without_secrets(one, depth - 1) for one in value[:FIELDS_MAX]]
    return value
