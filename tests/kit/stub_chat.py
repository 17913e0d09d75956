"""A stub host and a chat on it, for tests of the engine without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from bot.turns.registry import HANDLERS
from flows.catalogue import all_flows
from flows.engine.declarations import HandlerKind
from flows.engine.engine import Engine
from flows.engine.event import Event, EventKind, Screen, StepResult
from flows.engine.host import Exit, OperationStarted, Recalled, View
from flows.engine.session import FlowRegistry, Session
from flows.engine.texts import Texts
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from tests.kit.channels import CHAT, NUMBERED

FLOWS = all_flows()
TEXTS = Texts.load()
MINE, OTHER = Phone("254712345678"), Phone("254733123456")
FIFTEEN_HUNDRED = Money(1_500_00)
BOTH = {"amount": FIFTEEN_HUNDRED, "phone": MINE}


class StubHost:
    """Gives preset answers and records what it was asked to do.

    No top-up needs a code unless ``answers`` says so.
    """

    language = "en"

    def __init__(self) -> None:
        self.linked = True
        self.channel = CHAT
        self.refusal: Refusal | None = None  # for flows that move money
        self.answer: Exit | OperationStarted | Refusal = OperationStarted("TU-222222")
        self.amounts: Sequence[Money] = (Money(500_00), Money(1_000_00))
        self.phones: Sequence[Phone] = ()
        self.pages: dict[str | None, View] = {}
        self.answers: dict[str, Exit | OperationStarted | Refusal] = {"secure_topup": Exit("open")}
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []  # those in ``answers``
        self.runs: list[tuple[str, dict[str, Any]]] = []  # all others
        self.about: list[str | None] = []  # the operations of ``runs``
        self.code_answer: Exit | Refusal = Exit("right")
        self.codes: list[tuple[str, dict[str, Any], str, str]] = []
        self.act_answers: dict[str, Exit | Refusal] = {}
        self.acts: list[tuple[str, str]] = []
        self.looks: list[tuple[str, str | None]] = []
        self.recalled: dict[str, Any] | None = {"amount": FIFTEEN_HUNDRED, "phone": OTHER}

    def facts(self) -> Mapping[str, Any]:
        assert self.linked
        return {"name": "Amina", "partner": "FINSAFE", "my_phone": MINE, "bank": ""}

    def offers(self, what: str) -> bool:
        return False

    def has_right(self, needs: Right | None) -> bool:
        return needs is not Right.ADMIN

    def has_partner(self, code: str) -> bool:
        return False

    def note_suspicious(self, event: str) -> None:
        pass

    def entry_refusal(self) -> Refusal | None:
        return None if self.linked else Refusal.of("not_linked", address="77")

    def owns(self, needs: Right | None, operation: str) -> bool:
        return True

    def open_refusal(self, flow: str, needs: Right | None) -> Refusal | None:
        assert self.linked
        return self.refusal if needs is Right.MOVE_MONEY else None

    def today(self) -> date:
        return date(2026, 3, 2)

    def limits(self, name: str) -> tuple[Money, Money]:
        return Money(100), Money(250_000_00)

    def suggest(self, name: str, args: Mapping[str, Any]) -> Sequence[Any]:
        offered: dict[str, Sequence[Any]] = {
            "amounts": self.amounts,
            "float_amounts": self.amounts,
            "phones": self.phones,
            "periods": (),
        }
        return offered[name]

    def run(
        self, use_case: str, args: Mapping[str, Any], operation: str | None
    ) -> Exit | OperationStarted | Refusal:
        if use_case in self.answers:
            self.asked.append((use_case, dict(args), operation))
            return self.answers[use_case]
        self.runs.append((use_case, dict(args)))
        self.about.append(operation)
        return self.answer

    def check_code(
        self, use_case: str, args: Mapping[str, Any], operation: str, code: str
    ) -> Exit | Refusal:
        self.codes.append((use_case, dict(args), operation, code))
        return self.code_answer

    def act(self, use_case: str, operation: str) -> Exit | Refusal | None:
        self.acts.append((use_case, operation))
        return self.act_answers.get(use_case)

    def count(self, name: str) -> int:
        raise AssertionError("only what admins see is counted")

    def progress(self, operation: str) -> Mapping[str, Any]:
        until = datetime(2026, 3, 2, 6, 10, tzinfo=UTC)
        return {
            "reference": operation,
            "status": "Waiting.",
            "sent_to": "0712 345 678",
            "until": until,
        }

    def recall(self, operation: str) -> Recalled | Refusal:
        if self.recalled is None:
            return Refusal.of("not_yours", partner="FINSAFE")
        return Recalled("topup", {"reference": operation, **self.recalled})

    def may_open(self, view: str, args: Mapping[str, Any]) -> bool:
        return str(args["reference"]).startswith("TU-")

    def load_view(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        self.looks.append((view, cursor))
        facts = dict.fromkeys(HANDLERS[HandlerKind.VIEW, view].shows, "-")
        if view == "history":
            return self.pages.get(cursor, View(facts | {"partner": "FINSAFE"}))
        acts = frozenset({"check"}) if view == "operation" else frozenset[str]()
        return View({**facts, "partner": "FINSAFE", **args}, acts=acts)


class Chat:
    """One person's conversation; every step goes through the stored form, as in production."""

    def __init__(self, flows: FlowRegistry = FLOWS, texts: Texts = TEXTS) -> None:
        self.engine = Engine(flows, texts, HANDLERS)
        self.host = StubHost()
        self.session = Session()
        self.screen: Screen | None = None
        self.last: StepResult

    def send(self, event: Event) -> StepResult:
        self.session = Session.load(self.engine.flows, self.session.turn, self.session.dump())
        self.last = self.engine.step(self.session, event, self.host)
        if self.last.screen is not None:
            self.screen = self.last.screen
        return self.last

    def say(self, text: str, *, picks: bool = False) -> StepResult:
        """``picks``: on a channel that shows numbers instead of buttons."""
        self.host.channel = NUMBERED if picks else CHAT
        return self.send(Event("terminal", "77", "1", EventKind.TEXT, text=text))

    def command(self, word: str) -> StepResult:
        return self.send(Event("terminal", "77", "1", EventKind.COMMAND, text=word))

    def tap(self, option: str, turn: int | None = None) -> StepResult:
        at = self.session.turn if turn is None else turn
        return self.send(Event("terminal", "77", "1", EventKind.TAP, turn=at, option=option))

    def other(self, kind: EventKind) -> StepResult:
        return self.send(Event("terminal", "77", "1", kind))

    def begin(self) -> Chat:
        self.command("topup")
        return self

    def to_confirm(self) -> Chat:
        self.begin().say("1500")
        self.tap("mine")
        return self

    def to_push(self) -> Chat:
        self.to_confirm().tap("yes")
        return self

    @property
    def data(self) -> Any:
        assert self.session.active is not None
        return self.session.active.data

    @property
    def text(self) -> str:
        assert self.screen is not None
        return self.screen.text

    @property
    def options(self) -> list[str]:
        assert self.screen is not None
        return [button.id for row in self.screen.rows for button in row]


def stands(chat: Chat) -> tuple[str, int]:
    return chat.session.dump(), chat.session.turn
