"""``parse_mode`` MarkdownV2, strict about every mark, and legacy Markdown without nesting."""

from __future__ import annotations

from bot.simulation.telegram.entities import Entity
from bot.simulation.telegram.markup import MarkupError, MarkupState, OpenMark

_RESERVED = "_*[]()~`>#+-=|{}.!\n"
# Opening marks, longer ones first, and their names in Telegram's errors.
_BEGINS = {
    "```": "pre",
    "`": "code",
    "__": "underline",
    "_": "italic",
    "*": "bold",
    "~": "strikethrough",
    "||": "spoiler",
    "[": "text_link",
    "![": "custom_emoji",
}
_ENDS = {kind: mark for mark, kind in _BEGINS.items()} | {"text_link": "]", "custom_emoji": "]"}
_CALLED = {
    "pre": "Pre",
    "code": "Code",
    "underline": "Underline",
    "italic": "Italic",
    "bold": "Bold",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "text_link": "TextUrl",
    "custom_emoji": "CustomEmoji",
    "blockquote": "BlockQuote",
}
_LISTINGS = ("pre", "code")


def read_markdown_v2(given: str) -> tuple[str, list[Entity]]:
    """The text without marks, and its entities. Raises ``MarkupError``."""
    marking = MarkupState(given)
    at = 0
    while at < len(given):
        inner = marking.open[-1].type if marking.open else ""
        if given[at] == "\\" and at + 1 < len(given) and "\0" < given[at + 1] <= "~":
            marking.add(given[at + 1])
            at += 2
        elif given[at] not in ("`" if inner in _LISTINGS else _RESERVED):
            marking.add(given[at])
            at += 1
        elif given[at] == "\n" or (given[at] == ">" and at == 0):
            at = _line(marking, at)
        elif inner in _ENDS and _ends(marking, inner, at):
            at = _end(marking, at)
        else:
            at = _begin(marking, at)
    if marking.open and marking.open[-1].type == "blockquote":
        marking.mark(opened := marking.open.pop(), opened.type)
    if marking.open:
        raise _no_end(marking.open[-1])
    return marking.text, marking.entities


def _ends(marking: MarkupState, inner: str, at: int) -> bool:
    if inner == "italic":  # two of them are an underline
        return marking.starts("_", at) and not marking.starts("__", at)
    return marking.starts(_ENDS[inner], at)


def _line(marking: MarkupState, at: int) -> int:
    """At the start of the text or a line: ``>`` opens a quotation, and its absence ends one."""
    given = marking.given
    quoted = any(opened.type == "blockquote" for opened in marking.open)
    begins = 0
    if given[at] == "\n":
        marking.add("\n")
        at += 1
        begins = 1
    goes_on = given[at : at + 1] == ">"
    if quoted and not goes_on:
        opened = marking.open[-1]
        if opened.type != "blockquote":
            raise _no_end(opened)
        marking.mark(marking.open.pop(), "blockquote")
    elif goes_on and not quoted:
        marking.begin("blockquote", "", at - begins)
    return at + goes_on


def _begin(marking: MarkupState, at: int) -> int:
    for mark, kind in _BEGINS.items():
        if marking.starts(mark, at):
            begin, at = at, at + len(mark)
            language = ""
            if kind == "pre":
                language, at = _language(marking.given, at)
            marking.begin(kind, language, begin)
            return at
    character = marking.given[at]
    raise MarkupError(
        f"Character '{character}' is reserved and must be escaped with the preceding '\\'"
    )


def _language(given: str, at: int) -> tuple[str, int]:
    """The word after the three marks and one line break are not part of the code block."""
    end = at
    while end < len(given) and not given[end].isspace() and given[end] != "`":
        end += 1
    language = ""
    if end < len(given) and given[end] != "`":
        language, at = given[at:end], end
    for ending in ("\r\n", "\n\r", "\n", "\r"):
        if given.startswith(ending, at):
            return language, at + len(ending)
    return language, at


def _end(marking: MarkupState, at: int) -> int:
    opened = marking.open.pop()
    at += len(_ENDS[opened.type])
    match opened.type:
        case "text_link" if marking.starts("(", at):
            address, at = _address(marking, at + 1, "a URL")
            marking.mark_link(opened, address)
        case "text_link":
            marking.mark_link(opened, marking.since(opened))
        case "custom_emoji":
            at = _end_emoji(marking, opened, at)
        case kind:
            marking.mark(opened, kind, opened.detail)
    return at


def _end_emoji(marking: MarkupState, opened: OpenMark, at: int) -> int:
    if not marking.starts("(", at):
        raise MarkupError("Custom emoji entity must contain a tg://emoji URL")
    address, at = _address(marking, at + 1, "a custom emoji URL")
    emoji = address.removeprefix("tg://emoji?id=")
    if emoji == address:
        raise MarkupError("Custom emoji URL must have scheme tg and host emoji")
    if not (emoji.isdecimal() and int(emoji)):
        raise MarkupError("Invalid custom emoji identifier specified")
    marking.mark(opened, "custom_emoji", emoji)
    return at


def _address(marking: MarkupState, at: int, what: str) -> tuple[str, int]:
    given, begin, address = marking.given, at, ""
    while at < len(given) and given[at] != ")":
        if given[at] == "\\" and "\0" < given[at + 1 : at + 2] <= "~":
            at += 1
        address += given[at]
        at += 1
    if at == len(given):
        raise MarkupError(f"Can't find end of {what} at byte offset {marking.byte(begin)}")
    return address, at + 1


def _no_end(opened: OpenMark) -> MarkupError:
    called = "PreCode" if opened.type == "pre" and opened.detail else _CALLED[opened.type]
    return MarkupError(f"Can't find end of {called} entity at byte offset {opened.byte}")


def read_markdown(given: str) -> tuple[str, list[Entity]]:
    """Legacy Markdown: no nested marks, and an unmatched bracket is plain text."""
    marking = MarkupState(given)
    at = 0
    while at < len(given):
        if given[at] == "\\" and given[at + 1 : at + 2] in tuple("_*`["):
            marking.add(given[at + 1])
            at += 2
        elif given[at] in "_*`[":
            at = _simple(marking, at)
        else:
            marking.add(given[at])
            at += 1
    return marking.text, marking.entities


def _simple(marking: MarkupState, at: int) -> int:
    given = marking.given
    kind = next(_BEGINS[mark] for mark in ("```", "`", "_", "*", "[") if marking.starts(mark, at))
    begin, at = at, at + len("```" if kind == "pre" else given[at])
    language = ""
    if kind == "pre":
        language, at = _language(given, at)
    end = given.find(_ENDS[kind], at)
    if end < 0:
        byte = marking.byte(begin)
        raise MarkupError(f"Can't find end of the entity starting at byte offset {byte}")
    marking.begin(kind, language, begin)
    marking.add(given[at:end])
    opened, at = marking.open.pop(), end + len(_ENDS[kind])
    if kind != "text_link":
        marking.mark(opened, kind, language)
        return at
    address = given[begin + 1 : end]
    if marking.starts("(", at):
        behind = given.find(")", at)
        behind = len(given) if behind < 0 else behind
        address, at = given[at + 1 : behind], behind + 1
    marking.mark_link(opened, address)
    return at
