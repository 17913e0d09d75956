"""A process that sends one HTTP request over and over, on many connections at once.

Run with ``-m``: it reads a ``LoadPlan`` as JSON from standard input and writes a ``LoadResult``.
It does no more than it must, so that it is never what limits the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

_LENGTH = b"\r\ncontent-length: "


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What happens in the first ``warm_up_s`` of ``seconds`` is not counted."""

    host: str
    port: int
    path: str
    key: str
    connections: int
    seconds: float
    warm_up_s: float

    @property
    def request(self) -> bytes:
        lines = (f"GET {self.path} HTTP/1.1", f"Host: {self.host}", f"x-api-key: {self.key}")
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


@dataclass(frozen=True, slots=True)
class LoadResult:
    """``cpu_share`` is how much of a core this process used."""

    per_s: float
    p50_s: float
    p99_s: float
    cpu_share: float


class _Caller(asyncio.Protocol):
    def __init__(self, request: bytes, ends_at: float, taken: list[tuple[float, float]]) -> None:
        self._request = request
        self._ends_at = ends_at
        self._taken = taken
        self._answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._answer.lower().find(_LENGTH, 0, head) + len(_LENGTH)
        length = int(self._answer[at : self._answer.index(b"\r\n", at)])
        if len(self._answer) < head + 4 + length:
            return
        if not self._answer.startswith(b"HTTP/1.1 200 "):
            self.done.set_exception(RuntimeError(self._answer[:head].decode()))
            self._transport.abort()
            return
        now = time.perf_counter()
        self._taken.append((now, now - self._sent_at))
        self._answer = b""
        if now < self._ends_at:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        if time.perf_counter() < self._ends_at:
            self.done.set_exception(RuntimeError("the server has hung up"))
        else:
            self.done.set_result(None)

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)


async def run(plan: LoadPlan) -> LoadResult:
    """Raises ``RuntimeError`` for any answer but a 200."""
    loop = asyncio.get_running_loop()
    began, cpu = time.perf_counter(), time.process_time()
    taken: list[tuple[float, float]] = []
    callers = []
    for _ in range(plan.connections):
        _, caller = await loop.create_connection(
            lambda: _Caller(plan.request, began + plan.seconds, taken), plan.host, plan.port
        )
        callers.append(caller.done)
    await asyncio.gather(*callers)
    elapsed = time.perf_counter() - began
    counted = sorted(took for at, took in taken if at >= began + plan.warm_up_s)
    return LoadResult(
        len(counted) / (elapsed - plan.warm_up_s),
        counted[len(counted) // 2],
        counted[len(counted) * 99 // 100],
        (time.process_time() - cpu) / elapsed,
    )


if __name__ == "__main__":
    result = asyncio.run(run(LoadPlan(**json.load(sys.stdin))))
    print(json.dumps(asdict(result)))
