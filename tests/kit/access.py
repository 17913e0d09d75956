"""Calls every handler as everybody, with references of their own partner and of another."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from bot.context import AppContext
from bot.handlers.declaring import Handler
from bot.security.keyring import Keyring
from bot.turns import host as host_module
from bot.turns.authorisation import AccessDenied
from bot.turns.host import TurnHost
from bot.turns.registry import HANDLERS
from flows.engine.declarations import FILLED, HandlerKind
from flows.engine.event import Event, EventKind
from flows.engine.host import Exit
from flows.engine.texts import Texts
from services import topups
from services.domain.money import Money
from services.domain.partner import RIGHTS, Partner, Person, Right, Role
from services.domain.refusal import Refusal
from services.policy import NO_CODES
from tests.kit.plain_store import PlainStore

TEXTS = Texts.load()


@dataclass(frozen=True)
class Actor:
    """``role`` is ``None`` for somebody of no partner."""

    role: Role | None
    is_admin: bool = False
    suspended: bool = False

    def __str__(self) -> str:
        words = [self.role or "stranger"]
        words += ["admin"] if self.is_admin else []
        return "-".join([*words, "suspended"] if self.suspended else words)

    def may_call(self, handler: Handler) -> bool:
        """What the documents say, written a second time."""
        if handler.needs is None:
            return True
        if handler.needs is Right.ADMIN:
            return self.is_admin
        if self.role is None or handler.needs not in RIGHTS[self.role]:
            return False
        acts = handler.kind in (HandlerKind.USE_CASE, HandlerKind.CODE_CHECK, HandlerKind.ACTION)
        stops = self.suspended and acts and handler.needs is Right.MOVE_MONEY
        return handler.while_suspended or not stops


ACTORS = tuple(
    Actor(role, is_admin, suspended)
    for role in (None, *Role)
    for is_admin in (False, True)
    for suspended in ((False,) if role is None else (False, True))
)


class Access:
    """``own`` and ``foreign`` are references of a top-up of partner DEMO, and of another."""

    def __init__(self, store: PlainStore) -> None:
        self.store = store
        self.context = AppContext(
            TEXTS,
            random.Random(1),
            Keyring({"1": bytes(32)}),
            NO_CODES,
            admins=(("telegram", "1"),),
        )
        self.person = store.person()
        self.own = self._top_up(self.person)
        self.foreign = self._top_up(store.person("OTHER"))

    def _top_up(self, person: Person) -> str:
        def start(tx: Any) -> str:
            begun = topups.start(
                tx,
                self.context.random,
                person,
                "telegram",
                str(person.id),
                person.name + person.partner.code,
                Money(1_000_00),
                person.phone,
                policy=NO_CODES,
            )
            assert not isinstance(begun, Refusal | topups.Duplicate)
            return begun.reference

        return self.store.do(start)

    def is_called(self, handler: Handler, actor: Actor, reference: str) -> bool:
        """Whether the handler itself is reached by the actor, with this reference throughout."""
        person = None
        if actor.role is not None:
            partner = Partner(self.person.partner.code, suspended=actor.suspended)
            person = replace(self.person, role=actor.role, partner=partner)
        event = Event("telegram", "1" if actor.is_admin else "77", "1", EventKind.TAP)
        with _recorded(handler, reference) as called:
            host = TurnHost(self.context, self.store.tx, event, person, is_admin=actor.is_admin)
            try:
                _call(host, handler, reference)
            except AccessDenied:
                assert not called
        return bool(called)

    def mistakes(self) -> set[tuple[str, str]]:
        """(handler, actor) of all that may call, or may not, against the documents."""
        return {
            (handler.name, str(actor))
            for handler in HANDLERS
            for actor in ACTORS
            if self.is_called(current(handler), actor, self.own) != actor.may_call(handler)
        }

    def reached_by_others(self) -> set[str]:
        """Handlers that somebody reaches with a reference of another partner."""
        return {
            handler.name
            for handler in HANDLERS
            if handler.references and handler.needs not in (None, Right.ADMIN)
            for actor in ACTORS
            if self.is_called(handler, actor, self.foreign)
        }


def current(handler: Handler) -> Handler:
    """As it is declared now: a test may have replaced it."""
    return host_module.HANDLERS[handler.kind, handler.name]


@contextmanager
def _recorded(handler: Handler, reference: str) -> Iterator[list[str]]:
    """The handler, but only noting that it was called."""
    called: list[str] = []

    def note(*_: Any, **__: Any) -> Exit:
        called.append(handler.name)
        return Exit("done")

    by_prefix = handler.kind in (HandlerKind.PROGRESS, HandlerKind.RECALL)
    name = reference[:2] if by_prefix else handler.name
    noted = {(handler.kind, name): replace(handler, function=note)}
    with mock.patch.object(host_module, "HANDLERS", noted):
        yield called


def _call(host: TurnHost, handler: Handler, reference: str) -> None:
    values = {
        name: reference if name in handler.references else "value"
        for name in handler.parameters
        if name not in FILLED[handler.kind]
    }
    match handler.kind:
        case HandlerKind.USE_CASE:
            host.run(handler.name, values, reference)
        case HandlerKind.CODE_CHECK:
            host.check_code(handler.name, values, reference, "123456")
        case HandlerKind.ACTION:
            host.act(handler.name, reference)
        case HandlerKind.VIEW:
            host.load_view(handler.name, values, None)
        case HandlerKind.SUGGESTION:
            host.suggest(handler.name, values)
        case HandlerKind.COUNT:
            host.count(handler.name)
        case HandlerKind.PROGRESS:
            host.progress(reference)
        case HandlerKind.RECALL:
            host.recall(reference)
