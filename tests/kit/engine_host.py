"""A host for every flow, whose facts and use case results are set by the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.turns.registry import HANDLERS
from flows.catalogue import all_flows
from flows.engine.declarations import HandlerKind
from flows.engine.engine import Engine
from flows.engine.host import Exit, OperationStarted, Recalled, View
from flows.engine.nodes import Do
from flows.engine.texts import Texts
from services.domain.document import Period
from services.domain.money import Money
from services.domain.partner import Right
from services.domain.phone import Phone
from services.domain.refusal import Refusal
from tests.kit.channels import CHAT

WAITED_AT = (HandlerKind.USE_CASE, HandlerKind.CODE_CHECK)
ENGINE = Engine(all_flows(), Texts.load(), HANDLERS)
PROGRESS = {
    name: "-" for handler in HANDLERS if handler.kind in WAITED_AT for name in handler.shows
}
MONEY = frozenset(
    node.use_case
    for flow in ENGINE.flows
    for node in flow.nodes
    if isinstance(node, Do) and node.money
)

ROLE = Refusal.of("role", partner="FINSAFE")
PHONES = [Phone("254712345678"), Phone("254733123456"), Phone("254110345678")]
AMOUNTS = [Money(500_00), Money(1_000_00), Money(5_000_00)]
PURCHASE = "FL-AAAAAA"
REFERENCES = ["TU-AAAAAA", "TU-BBBBBB", "TU-CCCCCC"]
RIGHT = Exit("right")
# Of what reads a PIN: the exits for a right one, and for one that ends it.
PIN_EXITS = {
    "choose_pin": ("chosen", "over"),
    "repeat_pin": ("set", "over"),
    "check_float_pin": ("right", "pin_locked"),
    "check_topup_pin": ("right", "pin_locked"),
}
FEES = Money(155_00)

Answer = Exit | OperationStarted | Refusal


@dataclass(frozen=True)
class UseCaseOutcomes:
    """The results of use cases that run before the bank is asked."""

    coded: bool = False  # a top-up needs a code
    by_pin: bool = False  # a desk PIN is asked for instead of a code
    short: bool = False  # the wallet balance is too low
    requoted: bool = False  # the quote has expired when it is confirmed
    code: Exit | Refusal = RIGHT
    fees: Money = FEES


class FakeHost:
    """A host whose facts may change between steps and that records what was run."""

    language = "en"

    def __init__(self) -> None:
        self.may_move = True
        self.channel = CHAT
        self.answer: Answer = Exit("duplicate")
        self.amounts = AMOUNTS
        self.phones = PHONES[1:]
        self.world = UseCaseOutcomes()
        self.drawn = 0  # references
        self.runs: list[tuple[str, dict[str, Any]]] = []  # use cases that move money
        self.checked: list[tuple[str, str]] = []  # (operation, code) of each code check
        self.acts: list[tuple[str, str]] = []

    def facts(self) -> Mapping[str, Any]:
        return {"name": "Amina", "partner": "FINSAFE", "my_phone": PHONES[0], "bank": ""}

    def offers(self, what: str) -> bool:
        return True

    def has_right(self, needs: Right | None) -> bool:
        return needs in (None, Right.VIEW, Right.MOVE_MONEY)  # all that this host can answer for

    def has_partner(self, code: str) -> bool:
        return False

    def recipient(self, name: str) -> Phone | None:
        return PHONES[1] if name == "Mama Njeri" else None

    def note_suspicious(self, event: str) -> None:
        pass

    def entry_refusal(self) -> Refusal | None:
        return None

    def owns(self, needs: Right | None, operation: str) -> bool:
        return True

    def open_refusal(self, flow: str, needs: Right | None) -> Refusal | None:
        if needs is Right.MOVE_MONEY:
            return None if self.may_move else ROLE
        return None if self.has_right(needs) else ROLE

    def today(self) -> date:
        return date(2026, 3, 2)

    def limits(self, name: str) -> tuple[Money, Money]:
        return Money(100), Money(250_000_00)

    def suggest(self, name: str, args: Mapping[str, Any]) -> Sequence[Any]:
        offered: dict[str, Sequence[Any]] = {
            "amounts": self.amounts,
            "float_amounts": self.amounts,
            "paid_amounts": self.amounts,
            "payees": self.phones,
            "phones": self.phones,
            "periods": [Period(date(2026, 3, 1), date(2026, 3, 2))],
        }
        return offered[name]

    def run(self, use_case: str, args: Mapping[str, Any], operation: str | None) -> Answer:
        if use_case in MONEY:
            self.runs.append((use_case, dict(args)))
        if not self.may_move:
            return ROLE
        world = self.world
        match use_case:
            case "secure_topup":
                return self._coded("TU", {}) if world.coded else Exit("open")
            case "request_float":
                return self._short(args) or Exit("quoted", sets=self._quote("purchase", "FL", args))
            case "confirm_float":
                assert operation is not None
                if world.requoted:
                    quote = self._quote("purchase", "FL", args)
                    return Exit("requoted", sets=quote, above="It had run out.")
                sent = "pin" if world.by_pin else "sent"
                return self._short(args) or Exit(sent, sets={"purchase": operation})
            case "request_payout":
                return self._short(args) or Exit("quoted", sets=self._quote("payout", "PO", args))
            case "confirm_payout":
                return self._short(args) or Exit("sent")
            case "buy_float" | "send_payout":
                assert operation is not None
                return (
                    self.answer if isinstance(self.answer, Refusal) else OperationStarted(operation)
                )
            case "start_topup" | "start_another_topup":
                begun = operation is not None and isinstance(self.answer, OperationStarted)
                return OperationStarted(str(operation)) if begun else self.answer
            case "expect_topup":  # no prompt is sent, so there is no immediate outcome
                return (
                    self.answer
                    if isinstance(self.answer, OperationStarted | Refusal)
                    else Exit("lapsed")
                )
            case "request_document":
                return Exit("too_long")
            case "ask_pin":
                self.drawn += 1
                return Exit("sent", sets={"change": f"PN-C{self.drawn:05d}"})
        return Exit("saved")

    def _coded(self, kind: str, sets: Mapping[str, Any]) -> Exit:
        self.drawn += 1
        sent = "pin" if self.world.by_pin else "sent"
        return Exit(sent, sets={**sets, "reference": f"{kind}-C{self.drawn:05d}"})

    def _quote(self, into: str, kind: str, args: Mapping[str, Any]) -> dict[str, Any]:
        self.drawn += 1
        fees = self.world.fees
        total = args["amount"] + fees
        return {into: f"{kind}-Q{self.drawn:05d}", "fees": fees, "total": total}

    def _short(self, args: Mapping[str, Any]) -> Exit | None:
        if not self.world.short:
            return None
        missing = Money(100_00)
        facts = {"total": args["amount"], "available": Money(0), "missing": missing}
        return Exit("short", facts, sets=facts)

    def check_code(
        self, use_case: str, args: Mapping[str, Any], operation: str, code: str
    ) -> Exit | Refusal:
        self.checked.append((operation, code))
        answer = self.world.code
        if isinstance(answer, Refusal) or use_case not in PIN_EXITS:
            return answer
        right, over = PIN_EXITS[use_case]
        return Exit(right if answer == RIGHT else over)

    def act(self, use_case: str, operation: str) -> None:
        self.acts.append((use_case, operation))

    def count(self, name: str) -> int:
        raise AssertionError("only what admins see is counted")

    def progress(self, operation: str) -> Mapping[str, Any]:
        return PROGRESS | {"reference": operation}

    def under_way(self) -> None:
        return None

    def recall(self, operation: str) -> Recalled | Refusal:
        if operation.startswith("FL"):
            return Recalled("float", {"reference": operation, "amount": Money(1_500_00)})
        if operation.startswith("PO"):
            paid = {"reference": operation, "amount": Money(1_500_00), "payee": PHONES[1]}
            return Recalled("pay", paid)
        values = {"reference": operation, "amount": Money(1_500_00), "phone": Phone("254733123456")}
        return Recalled("topup", values)

    def may_open(self, view: str, args: Mapping[str, Any]) -> bool:
        return args["reference"] in REFERENCES

    def load_view(self, view: str, args: Mapping[str, Any], cursor: str | None) -> View:
        facts = dict.fromkeys(HANDLERS[HandlerKind.VIEW, view].shows, "-")
        if view == "history":
            items = [(reference, reference) for reference in REFERENCES]
            return View(facts, items, more="<TU-CCCCCC", newer=cursor and ">TU-AAAAAA")
        if view == "operation":
            assert args["reference"] in {*REFERENCES, PURCHASE}
        return View(facts, acts=frozenset({"check"}))
