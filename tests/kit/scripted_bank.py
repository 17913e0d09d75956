"""Banks that wait as a test tells them and give the answers it has set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from services.domain.bank import (
    Accepted,
    FloatAnswer,
    FloatOrder,
    InitiateAnswer,
    NoAnswer,
    NotSent,
    Paid,
    Prompt,
    QueryAnswer,
    Ready,
    StatusAnswer,
    StillOpen,
    Succeeded,
    Unknown,
)


async def at_once() -> None:
    return


async def never() -> None:
    await asyncio.Event().wait()


class ScriptedBank:
    """``requests`` are the references of requests that may move money. ``answers`` to them are
    used up first."""

    def __init__(self) -> None:
        self.token: Ready | NotSent = Ready("token")
        self.tokens = 0
        self.requests: list[str] = []
        self.answers: list[Any] = []
        self.asked: list[str] = []
        self.before_token: Callable[[], Awaitable[object]] = at_once
        self.before_answer: Callable[[], Awaitable[object]] = at_once
        self.before_status: Callable[[], Awaitable[object]] = at_once

    async def prepare(self) -> Ready | NotSent:
        self.tokens += 1
        await self.before_token()
        return self.token

    def succeed(self) -> None:
        """From now on a query finds that the operation succeeded."""
        raise NotImplementedError


class ScriptedCollections(ScriptedBank):
    """The part of ``services.ports.Collections`` that top-ups need."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: Callable[[Prompt], InitiateAnswer] = lambda prompt: Accepted(
            f"STK-{prompt.reference}", None, "accepted"
        )
        self.status: QueryAnswer = StillOpen("open")
        self.prompts: list[Prompt] = []

    def succeed(self) -> None:
        self.status = Paid("SUCCESS")

    async def initiate(self, ready: Ready, prompt: Prompt) -> InitiateAnswer:
        self.prompts.append(prompt)
        self.requests.append(prompt.reference)
        await self.before_answer()
        return self.answers.pop(0) if self.answers else self.answer(prompt)

    async def query(self, bank_id: str) -> QueryAnswer:
        self.asked.append(bank_id)
        await self.before_status()
        return self.status


class ScriptedFloatBank(ScriptedBank):
    """``services.ports.FloatBank``: when ``answers`` are used up, ``answer`` repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: FloatAnswer = Succeeded("B-1", "Success")
        self.status_answer: StatusAnswer = StillOpen("open")
        self.orders: list[FloatOrder] = []

    def succeed(self) -> None:
        self.status_answer = Succeeded("B-1", "Success")

    async def purchase(self, ready: Ready, order: FloatOrder) -> FloatAnswer:
        self.orders.append(order)
        self.requests.append(order.reference)
        await self.before_answer()
        return self.answers.pop(0) if self.answers else self.answer

    async def status(self, reference: str) -> StatusAnswer:
        self.asked.append(reference)
        await self.before_status()
        return self.status_answer


class ScriptedToyBank(ScriptedBank):
    """For the toy kind: a request is accepted, and a query says nothing until it succeeds."""

    def __init__(self) -> None:
        super().__init__()
        self.status_answer: Succeeded | NoAnswer = NoAnswer("nothing yet")

    def succeed(self) -> None:
        self.status_answer = Succeeded(None, "played")

    async def play(self, reference: str) -> Ready | NotSent | Unknown:
        self.requests.append(reference)
        await self.before_answer()
        return self.answers.pop(0) if self.answers else Ready("accepted")

    async def status(self, reference: str) -> Succeeded | NoAnswer:
        self.asked.append(reference)
        await self.before_status()
        return self.status_answer
