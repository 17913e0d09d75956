"""Banks that wait as a test tells them and give the answers it has set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.domain.bank import (
    Accepted,
    FloatAnswer,
    FloatOrder,
    InitiateAnswer,
    NotSent,
    Prompt,
    QueryAnswer,
    Ready,
    StatusAnswer,
    StillOpen,
    Succeeded,
)


async def at_once() -> None:
    return


class _ScriptedBank:
    def __init__(self) -> None:
        self.token: Ready | NotSent = Ready("token")
        self.tokens = 0
        self.asked: list[str] = []
        self.before_token: Callable[[], Awaitable[object]] = at_once
        self.before_answer: Callable[[], Awaitable[object]] = at_once
        self.before_status: Callable[[], Awaitable[object]] = at_once

    async def prepare(self) -> Ready | NotSent:
        self.tokens += 1
        await self.before_token()
        return self.token


class ScriptedCollections(_ScriptedBank):
    """The part of ``services.ports.Collections`` that top-ups need."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Callable[[Prompt], InitiateAnswer] = lambda prompt: Accepted(
            f"STK-{prompt.reference}", None, "accepted"
        )
        self.status: QueryAnswer = StillOpen("open")
        self.prompts: list[Prompt] = []

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        self.prompts.append(prompt)
        await self.before_answer()
        return self.answer(prompt)

    async def query(self, bank_id: str) -> QueryAnswer:
        self.asked.append(bank_id)
        await self.before_status()
        return self.status


class ScriptedFloatBank(_ScriptedBank):
    """``services.ports.FloatBank``: ``answers`` are used up first, then ``answer`` repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[FloatAnswer] = []
        self.answer: FloatAnswer = Succeeded("B-1", "Success")
        self.status_answer: StatusAnswer = StillOpen("open")
        self.orders: list[FloatOrder] = []

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        self.orders.append(order)
        await self.before_answer()
        return self.answers.pop(0) if self.answers else self.answer

    async def status(self, reference: str) -> StatusAnswer:
        self.asked.append(reference)
        await self.before_status()
        return self.status_answer
