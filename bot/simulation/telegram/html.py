"""``parse_mode`` HTML: the few tags Telegram supports, and its errors for all others."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.simulation.telegram.entities import Entity
from bot.simulation.telegram.markup import MarkupError, MarkupState, OpenMark

_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]{1,7})|#([0-9]{1,8})|([A-Za-z]+));?")
_SPACE = " \t\r\n\0\v"


def read_html(given: str) -> tuple[str, list[Entity]]:
    """The text without tags, and its entities. Raises ``MarkupError``."""
    marking = MarkupState(given)
    at = 0
    while at < len(given):
        if given[at] == "&":
            text, at = _reference(given, at)
            marking.add(text)
        elif given[at] != "<":
            marking.add(given[at])
            at += 1
        elif marking.starts("</", at):
            at = _end_tag(marking, at)
        else:
            at = _start_tag(marking, at)
    if marking.open:
        tag = marking.open[-1].type
        raise MarkupError(f"Can't find end tag corresponding to start tag {tag}")
    # The language of a <code> counts only inside its <pre>.
    plain = (replace(e, detail=None) if e.type == "code" else e for e in marking.entities)
    return marking.text, list(plain)


def _reference(given: str, at: int) -> tuple[str, int]:
    """The character for a ``&…;``; an unknown one stays as it is."""
    match = _REFERENCE.match(given, at)
    if match is None:
        return "&", at + 1
    hexadecimal, decimal, name = match.groups()
    if name is not None:
        return (_NAMED[name], match.end()) if name in _NAMED else ("&", at + 1)
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    if not 0 < code < 0x10FFFF:
        return "&", at + 1
    if 0xD800 <= code <= 0xDFFF:
        raise MarkupError(
            "Text contains invalid Unicode characters after decoding HTML entities, check for "
            "unmatched surrogate code units"
        )
    return chr(code), match.end()


def _start_tag(marking: MarkupState, begin: int) -> int:
    given, byte = marking.given, marking.byte(begin)
    at = begin + 1
    while at < len(given) and given[at] not in _SPACE and given[at] != ">":
        at += 1
    if at == len(given):
        raise MarkupError(f"Unclosed start tag at byte offset {byte}")
    tag = given[begin + 1 : at].lower()
    if tag not in _TYPES:
        raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {byte}')
    attributes: dict[str, str] = {}
    while given[at] != ">":
        at = _attribute(marking, tag, at, byte, attributes)
    detail = _detail(tag, attributes)
    if tag == "span" and detail != "spoiler":
        raise MarkupError(f'Tag "span" must have class "tg-spoiler" at byte offset {byte}')
    marking.begin(tag, detail, begin)
    return at + 1


def _attribute(marking: MarkupState, tag: str, at: int, byte: int, into: dict[str, str]) -> int:
    """Read one ``name="value"``, or the whitespace before the tag's end."""
    given = marking.given
    at = _blanks(given, at)
    if at < len(given) and given[at] == ">":
        return at
    begin = at
    while at < len(given) and given[at] not in _SPACE and given[at] not in "=>":
        at += 1
    name = given[begin:at]
    if not name:
        if at == len(given):
            raise MarkupError(f"Unclosed start tag at byte offset {byte}")
        raise MarkupError(f'Empty attribute name in the tag "{tag}" at byte offset {byte}')
    at = _blanks(given, at)
    if tag == "blockquote" and name == "expandable" and given[at : at + 1] != "=":
        into[name] = name
        if at == len(given):
            raise MarkupError(f"Unclosed start tag at byte offset {byte}")
        return at
    if given[at : at + 1] != "=":
        raise MarkupError(
            f'Expected equal sign in declaration of an attribute of the tag "{tag}" at byte '
            f"offset {byte}"
        )
    at = _blanks(given, at + 1)
    if at == len(given):
        raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {byte}')
    into[name], at = _value(marking, at)
    if at >= len(given):
        raise MarkupError(f"Unclosed start tag at byte offset {byte}")
    return at


def _value(marking: MarkupState, at: int) -> tuple[str, int]:
    given, begin = marking.given, at
    if given[at] not in "'\"":
        while at < len(given) and (given[at].isalnum() or given[at] in ".-"):
            at += 1
        if at < len(given) and given[at] not in _SPACE and given[at] != ">":
            raise MarkupError(f"Unexpected end of name token at byte offset {marking.byte(begin)}")
        return given[begin:at].lower(), at
    value, at = "", at + 1
    while at < len(given) and given[at] != given[begin]:
        if given[at] == "&":
            text, at = _reference(given, at)
        else:
            text, at = given[at], at + 1
        value += text
    return value, at + 1


def _detail(tag: str, attributes: dict[str, str]) -> str:
    name = attributes.get("class", "")
    match tag:
        case "a":
            return attributes.get("href", "")
        case "code" if name.startswith("language-"):
            return name.removeprefix("language-")
        case "span" if name.startswith("tg-"):
            return name.removeprefix("tg-")
        case "tg-emoji":
            return attributes.get("emoji-id", "")
        case "blockquote":
            return attributes.get("expandable", "")
        case _:
            return ""


def _end_tag(marking: MarkupState, begin: int) -> int:
    given, byte = marking.given, marking.byte(begin)
    if not marking.open:
        raise MarkupError(f"Unexpected end tag at byte offset {byte}")
    at = begin + 2
    while at < len(given) and given[at] not in _SPACE and given[at] != ">":
        at += 1
    found = given[begin + 2 : at].lower()
    at = _blanks(given, at)
    if given[at : at + 1] != ">":
        raise MarkupError(f"Unclosed end tag at byte offset {byte}")
    opened = marking.open.pop()
    tag = opened.type
    if found and found != tag:
        raise MarkupError(
            f'Unmatched end tag at byte offset {byte}, expected "</{tag}>", found "</{found}>"'
        )
    match tag:
        case "a":
            marking.mark_link(opened, opened.detail or marking.since(opened))
        case "tg-emoji":
            if not (opened.detail.isdecimal() and int(opened.detail)):
                raise MarkupError("Invalid custom emoji identifier specified")
            marking.mark(opened, "custom_emoji", opened.detail)
        case "pre" | "code":
            _mark_listing(marking, opened)
        case "blockquote":
            marking.mark(opened, "expandable_blockquote" if opened.detail else "blockquote")
        case _:
            marking.mark(opened, _TYPES[tag])
    return at + 1


def _mark_listing(marking: MarkupState, opened: OpenMark) -> None:
    """``<pre>`` and ``<code class="language-…">`` around the same text become one code block."""
    inner = marking.entities[-1] if marking.entities else None
    is_same = inner is not None and (inner.offset, inner.end) == (opened.offset, marking.offset)
    if inner is not None and is_same and {inner.type, opened.type} == {"pre", "code"}:
        language = inner.detail or opened.detail
        if language:
            marking.entities[-1] = replace(inner, type="pre", detail=language)
            return
    marking.mark(opened, opened.type, opened.detail)


def _blanks(given: str, at: int) -> int:
    while at < len(given) and given[at] in _SPACE:
        at += 1
    return at
