"""Checks that what the menu of a phone can show fits its pages, at the widest, in every language.

Each node of a flow for USSD is drawn by the renderer itself, for a person with every right and the
longest values (facts: USSD 2). A question, a confirmation, a code and what ends a session at once
have one page; lists and what tells a reason may have several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from flows.engine.capabilities import PHONE_MENU
from flows.engine.check_sms import MONEY, WIDEST
from flows.engine.check_structure import targets
from flows.engine.declarations import Declarations, waits
from flows.engine.host import COUNTED_MAX, Host, View
from flows.engine.nodes import (
    Ask,
    Call,
    Choose,
    Code,
    Contact,
    Do,
    End,
    Flow,
    Look,
    Node,
    SecretKind,
)
from flows.engine.phone_pages import Ways, phone_screen
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import RESUME_NODE, FlowRegistry, Frame, HistoryEntry, Session
from flows.engine.texts import SHORT, Texts, placeholders
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.phone import Phone

SUGGESTED = 3  # values that a question offers
_MONEY = Money(9_999_999_999)
_MOMENT = WIDEST["at"]
_REFERENCE = WIDEST["reference"]
_BEFORE = HistoryEntry("", {})
_WIDE: Mapping[str, str] = {
    **WIDEST,
    **dict.fromkeys(("available", "missing", "threshold", "maximum", "left"), MONEY),
    "name": WIDEST["who"],
    "my_phone": WIDEST["phone"],
    "language": "Kiswahili",
    "begun": _MOMENT,
    "what": f"float {MONEY}, fees {MONEY}, total {MONEY}",
    "settled": f"\nLast change {_MOMENT}",
    "receipt": "\nM-PESA receipt ABCDEFGHIJ",
    **dict.fromkeys(("low", "lines"), ""),
    "rows": "1000",
}
# Facts that a handler chooses among texts: as wide as the widest whose key begins so.
_CHOSEN: Mapping[str, tuple[str, ...]] = {
    "then": ("float.confirm.then.",),
    "next": ("float.confirm.next.",),
    "held": ("balance.show.held",),
    "bank": ("engine.bank_slow",),
    "state": ("state.",),
    "reason": ("refusal.", "reason."),
    "asks": ("short.approve.one.float", "short.approve.one.payout", "short.approve.one.batch"),
}
# The same of how an operation stands, by the flow that waits for it or the view that shows it.
_STATUS: Mapping[str, tuple[str, ...]] = {
    "topup": ("status.CREATED", "status.PENDING", "status.slow"),
    "float": ("float_status.",),
    "approval": ("approve.one.waits",),
}


def phone_errors(flows: FlowRegistry, texts: Texts, declared: Declarations) -> Iterator[str]:
    yield from _stray_texts(texts)
    renderer = ScreenRenderer(flows, texts)
    for language in texts.languages:
        host = cast("Host", _WidestHost(texts, language))
        yield from _fits(renderer, host, Session(), "menu")
        for flow in flows.newest.values():
            for frame in _frames(flow, host, declared) if flow.ussd else ():
                place = f"{flow.name}.{frame.node}"
                yield from _fits(renderer, host, Session(active=frame), place)
            if flow.ussd:
                yield from _fits(renderer, host, _under_way(flow), f"{flow.name}.{RESUME_NODE}")


def _stray_texts(texts: Texts) -> Iterator[str]:
    for language in texts.languages:
        for key in texts.keys(language):
            if key.startswith(SHORT) and not texts.has(language, key.removeprefix(SHORT)):
                yield f"{language}: {key} stands for no text"


def _frames(flow: Flow, host: Host, declared: Declarations) -> Iterator[Frame]:
    """The flow at each node that is shown there, and where it asks whether to continue."""
    wide = host.facts()
    data = {name: wide[name] for name in flow.data.model_fields if name in wide}
    data |= {} if flow.operation is None else {flow.operation: _REFERENCE}
    yield Frame(flow, RESUME_NODE, flow.data())
    for node in _on_phone(flow, declared):
        frame = Frame(flow, node.id, flow.data.model_construct(**data))
        frame.waiting = flow.name if isinstance(node, Do) else None
        frame.history = [] if isinstance(node, Do | End) else [_BEFORE]
        yield frame


def _under_way(flow: Flow) -> Session:
    """Where it asks whether to look at what is under way or to begin another."""
    parked = Frame(flow, flow.start, flow.data(), waiting=flow.name)
    return Session(active=Frame(flow, RESUME_NODE, flow.data()), parked={flow.name: parked})


def _fits(renderer: ScreenRenderer, host: Host, session: Session, place: str) -> Iterator[str]:
    try:
        screen = renderer.current_screen(session, host)
    except KeyError as missing:
        if "." not in missing.args[0]:  # else a text, which another check misses
            yield f"{host.language}: {place} may stand on a phone, and how wide is {missing}?"
        return
    ways = Ways(*(renderer.say(host, f"button.{name}") for name in ("back", "menu", "more")))
    pages = len(phone_screen(screen, session.turn, session.current_node, ways).pages)
    if pages > 1 and not _may_have_several(session):
        yield f"{host.language}: {place} has {pages} pages on a phone at its widest, of one at most"


def _may_have_several(session: Session) -> bool:
    """A list is paged; so is what tells a reason or a balance before the session ends."""
    return isinstance(session.current_node, Look | End)


def _on_phone(flow: Flow, declared: Declarations) -> Iterator[Node]:
    """What can be reached there, and is shown."""
    seen, waiting = set[str](), [flow.start]
    while waiting:
        node = flow.node(waiting.pop())
        if node.id in seen or _never_there(node):
            continue
        seen.add(node.id)
        elsewhere = set[str]()
        if isinstance(node, Ask | Choose | Look):
            elsewhere = {option.to for option in node.options if not option.ussd}
            elsewhere -= {option.to for option in node.options if option.ussd}
        waiting += [to for to in targets(node) if to not in elsewhere]
        passes = isinstance(node, Do) and not waits(declared, node.use_case)
        if not passes and not isinstance(node, Call):
            yield node


def _never_there(node: Node) -> bool:
    """A person's own number is known there, and their PIN stands for every code."""
    return isinstance(node, Contact) or (isinstance(node, Code) and node.reads is SecretKind.CODE)


def _widest(texts: Texts, language: str, begins: tuple[str, ...], facts: Mapping[str, Any]) -> str:
    """The longest of the texts whose keys begin so; a fact that is not known is an amount."""
    said = []
    for key, sentence in texts.keys(language).items():
        if key.startswith(begins):
            known = {name: facts.get(name, _MONEY) for name in placeholders(sentence)}
            said.append(texts.say(language, key, known, short=True))
    return max(said, key=len, default="")


class _WidestHost:
    """Of a person with every right, for whom everything is as long as it can be."""

    channel = PHONE_MENU

    def __init__(self, texts: Texts, language: str) -> None:
        self.language = language
        self._texts = texts
        self._facts: dict[str, Any] = dict(_WIDE)
        for name, begins in _CHOSEN.items():
            self._facts[name] = _widest(texts, language, begins, self._facts)

    def facts(self) -> Mapping[str, Any]:
        return self._facts

    def entry_refusal(self) -> None:
        return None

    def open_refusal(self, flow: str, needs: Right | None) -> None:
        return None

    def offers(self, what: str) -> bool:
        return True

    def has_right(self, needs: Right | None) -> bool:
        return needs is not Right.ADMIN

    def count(self, name: str) -> int:
        return COUNTED_MAX

    def suggest(self, name: str, args: Mapping[str, Any]) -> Sequence[Phone]:
        return [Phone("254712345678")] * SUGGESTED

    def progress(self, operation: str) -> Mapping[str, Any]:
        """Here an operation is known by the flow that waits for it."""
        status = _STATUS.get(operation, ())
        text = _widest(self._texts, self.language, status, self._facts)
        return {**self._facts, "status": text}

    def load_view(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        return View(self.progress(view), [(_REFERENCE, "W" * 200)] * 8, "more", "newer")
