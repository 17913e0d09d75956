"""A conversation in the flow that purchases float."""

from __future__ import annotations

from flows.engine.host import Exit, OperationStarted
from services.domain.money import Money
from tests.kit.stub_chat import Chat

PURCHASE = "FL-222222"
CODE = "482913"
QUOTED = {"purchase": PURCHASE, "fees": Money(155_00), "total": Money(50_155_00)}
MISSING = {
    "total": Money(50_155_00),
    "available": Money(50_000_00),
    "missing": Money(155_00),
}
SHORT = Exit("short", MISSING, sets=MISSING)


class FloatChat(Chat):
    """Purchases float. Every quote is given and every code sent unless a test says otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.host.answer = OperationStarted(PURCHASE)
        self.host.answers |= {
            "request_float": Exit("quoted", sets=QUOTED),
            "confirm_float": Exit("sent", sets=QUOTED),
        }

    def to_quote(self) -> FloatChat:
        self.command("float")
        self.say("50000")
        return self

    def to_code(self) -> FloatChat:
        self.to_quote().tap("yes")
        return self

    def to_buy(self) -> FloatChat:
        self.to_code().say(CODE)
        return self

    @property
    def uses(self) -> list[str]:
        return [use_case for use_case, _, _ in self.host.asked]
