"""What every simulated API of the outside does: calls are counted, meet faults, and are answered.

It is part of the outside: it survives restarts of the product and knows only what reached it. It is
plain ASGI because benchmarks send it thousands of calls a second; in a simulated world
``SimulatedClient`` calls it without any network.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from starlette.types import Receive, Scope, Send

from bot.simulation.armed_faults import ArmedFaults
from bot.simulation.faults import Fault, FaultKind
from services.ports import Clock

Probe = Callable[[Literal["before", "after"], str], Awaitable[None]]

HTML_PAGE = (
    b"<html><head><title>Request Rejected</title></head><body>Request Rejected</body></html>"
)
GARBAGE = b'{"TransactionID": "\xff'


@dataclass(frozen=True, slots=True)
class CallRequest:
    """``headers`` by lower-case name."""

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes
    query: bytes = b""


@dataclass(frozen=True, slots=True)
class CallReply:
    """It leaves only once ``after`` has happened."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    after: asyncio.Event | None = None


def html_reply(status: int) -> CallReply:
    """What a firewall in front of the API answers."""
    return CallReply(status, HTML_PAGE, b"text/html")


def garbage_reply() -> CallReply:
    return CallReply(200, GARBAGE)


async def _no_probe(moment: Literal["before", "after"], call: str) -> None:
    """The default probe: never stops the product."""


class SimulatedApi(ABC):
    """``probe`` is awaited before a call reaches the API, and again after the call took effect but
    before its answer; a probe that never returns stands for our process dying there.

    ``latency`` returns how many seconds each call takes to have its effect.
    """

    def __init__(
        self, clock: Clock, calls: Sequence[str], met_by: Mapping[FaultKind, Sequence[str]]
    ) -> None:
        self.probe: Probe = _no_probe
        self.latency: Callable[[], float] = lambda: 0.0
        self._clock = clock
        self._faults = ArmedFaults(calls, met_by)
        self._calls: Counter[str] = Counter()
        self._under_way: set[asyncio.Task[CallReply | None]] = set()

    # Told by tests and scripts ---------------------------------------------------------------

    def arm(self, fault: Fault, call: str, times: int = 1) -> None:
        """The next ``times`` calls meet the fault. Raises ``ValueError`` if they cannot."""
        self._faults.arm(fault, call, times)

    def arm_for(self, fault: Fault, call: str, lasts: timedelta) -> None:
        """Every such call meets the fault for this long. Raises ``ValueError`` if it cannot."""
        self._faults.arm_until(fault, call, self._clock.now() + lasts)

    def faults_left(self) -> Mapping[str, int]:
        """How many of each call's next ones are to meet a fault."""
        return self._faults.left()

    def disarm(self) -> None:
        """Remove all faults and latency."""
        self._faults.clear()
        self.latency = lambda: 0.0

    def calls(self, call: str) -> int:
        """The number of such requests since the start, whether they succeeded or not."""
        self._faults.check_call(call)
        return self._calls[call]

    # What each API is ------------------------------------------------------------------------

    @abstractmethod
    def _call_of(self, request: CallRequest) -> str | None:
        """The name under which the request is counted and faults are armed; ``None`` where no such
        path is served."""

    @abstractmethod
    def _not_served(self, request: CallRequest) -> CallReply:
        """The answer where ``_call_of`` is ``None``."""

    @abstractmethod
    def _meet(self, fault: Fault | None, call: str, request: CallRequest) -> CallReply | None:
        """Have the effect, then return the answer; ``None`` when none ever comes. ``SLOW`` has been
        waited for."""

    @abstractmethod
    def mark_delivered(self, reply: CallReply) -> None:
        """The caller has the answer."""

    # Calls -----------------------------------------------------------------------------------

    async def handle(self, request: CallRequest) -> CallReply | None:
        """Handle a call; ``None`` when it is never answered.

        The caller passes the answer on, then calls ``mark_delivered``.
        """
        call = self._call_of(request)
        if call is None:
            return self._not_served(request)
        await self.probe("before", call)
        self._calls[call] += 1
        reply = await self._serve(call, request)
        if reply is not None and reply.after is not None:
            await reply.after.wait()
        await self.probe("after", call)
        return reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # lifespan messages of a server: nothing to start
            return
        request = CallRequest(
            scope["method"],
            scope["path"],
            dict(scope["headers"]),
            await _read_body(receive),
            scope["query_string"],
        )
        reply = await self.handle(request)
        if reply is None:
            await _hang_up(receive)
            return
        await _write(send, reply)
        self.mark_delivered(reply)

    async def _serve(self, call: str, request: CallRequest) -> CallReply | None:
        fault = self._faults.take(call, self._clock.now())
        delay_s = self.latency() + (fault.delay_s if fault else 0.0)
        if delay_s <= 0:
            return self._meet(fault, call, request)

        async def later() -> CallReply | None:
            await self._clock.sleep(delay_s)
            return self._meet(fault, call, request)

        # A task of the API's own: it continues after the caller's timeout.
        task = asyncio.create_task(later())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)


async def _read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


async def _write(send: Send, reply: CallReply) -> None:
    headers = [
        (b"content-type", reply.content_type),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _hang_up(receive: Receive) -> None:
    """Wait for the caller to disconnect: its own timeout ends the call."""
    while (await receive())["type"] != "http.disconnect":
        pass
