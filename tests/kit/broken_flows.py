"""A valid flow, and ways to break it."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from bot.turns.registry import HANDLERS
from flows.engine.check import flow_errors
from flows.engine.declarations import Declaration, HandlerKind
from flows.engine.host import Host
from flows.engine.nodes import Ask, Confirm, Do, End, Flow, Node
from flows.engine.texts import Texts
from services.domain.ids import Reference
from services.domain.partner import Right
from services.domain.refusal import Refusal

WAITS = frozenset({"start_topup", "start_slowly"})


class LenientDeclarations:
    """Declares whatever is called, with no arguments of its own, for checks of the flow itself.

    What it shows is what the real one of that name shows.
    """

    def get(self, kind: HandlerKind, name: str) -> Declaration | None:
        if name == "nosuch":
            return None
        real = HANDLERS.get(kind, name)
        is_shown = kind in (HandlerKind.VIEW, HandlerKind.SUGGESTION)
        return Declaration(
            kind,
            name,
            Right.MOVE_MONEY,
            {} if is_shown else {"operation": Reference | None},
            waits=name in WAITS and kind is HandlerKind.USE_CASE,
            shows=frozenset() if real is None else real.shows,
            tells=TOLD,
        )

    def __iter__(self) -> Iterator[Declaration]:
        return iter(())


TOLD = frozenset({"reference", "amount", "phone", "at", "balance", "reason"})
DECLARED = LenientDeclarations()


class Sent(BaseModel):
    amount: str | None = None
    phone: str | None = None


def read(text: str, host: Host) -> str | Refusal:
    return text


AMOUNT = Ask("amount", into="amount", parse=read, to="phone")
PHONE = Ask("phone", into="phone", parse=read, to="confirm")
CONFIRM = Confirm(
    "confirm", shows=("amount", "phone"), yes="push", edit={"amount": "amount", "phone": "phone"}
)
PUSH = Do(
    "push",
    use_case="start_topup",
    args=("amount", "phone"),
    on={"paid": "paid", "refused": "refused", "unknown": "paid"},
    money=True,
    acts={"check": "check_topup"},
)
SOUND = (AMOUNT, PHONE, CONFIRM, PUSH, End("paid"), End("refused"))
WORDS = {
    "menu.topup": "Top up",
    "command.topup": "Add money",
    "topup.amount.ask": "How much, {name}?",
    "topup.phone.ask": "{amount} from which phone?",
    "topup.confirm.ask": "{amount} from {phone}?",
    "topup.confirm.yes": "Yes",
    "topup.confirm.edit-amount": "Change amount",
    "topup.confirm.edit-phone": "Change phone",
    "topup.push.ask": "{reference}: {status}",
    "topup.push.check": "Check",
    "topup.push.check-done": "Asked.",
    "topup.paid.ask": "Received {amount}, balance {balance}",
    "topup.refused.ask": "{reason}",
}


def flow(*nodes: Node, start: str = "amount") -> Flow:
    return Flow("topup", 1, Sent, start, nodes, needs=Right.MOVE_MONEY)


def changed(*nodes: Node) -> Flow:
    """The valid flow with these nodes: each replaces the node with the same id, or is added."""
    new = {node.id: node for node in nodes}
    kept = tuple(new.pop(node.id, node) for node in SOUND)
    return flow(*kept, *new.values())


def texts(**more: str) -> Texts:
    named = {key.replace("__", ".").replace("_", "-"): text for key, text in more.items()}
    return Texts({"en": WORDS | named})


def without(*keys: str) -> Texts:
    return Texts({"en": {key: text for key, text in WORDS.items() if key not in keys}})


def found(broken: Flow, words: Texts | None = None) -> set[str]:
    return set(flow_errors(broken, words or texts(), DECLARED))


def words_for(*ids: str) -> Texts:
    return Texts({"en": WORDS | {f"topup.{name}": "Words." for name in ids}})
