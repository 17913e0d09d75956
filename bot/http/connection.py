"""One caller's connection, and an end to what it may keep us waiting for.

uvicorn bounds neither the time that a request's head takes nor that of its body, and waits for
ever for a caller who does not read its answer. Each is bounded here, below every route.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.environment.ip_addresses import parse_ip_address
from bot.http.request_limits import BODY_S

HEAD_MAX = 16 * 1024  # bytes of an unfinished head; one that comes whole may have twice as many
HEAD_S = 10  # real seconds for a whole head, from the connection or from the last answer
OVERDUE_S = 5.0  # beside BODY_S, so that a late body is told so before it is cut off
TAKEN_S = 30.0  # real seconds in which an answer must be taken off our hands
WASTED_MAX = 256 * 1024  # bytes of a body that still come after the answer to it


class Connection(H11Protocol):
    """uvicorn's, which knows what its caller owes: a head, the rest of a body, or reading."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None and (address := parse_ip_address(self.client[0])) is not None:
            self.client = (str(address), self.client[1])
        self._state: Any = self.conn.their_state
        self._since = self.loop.time()
        self._unread_since: float | None = None
        self._wasted = 0

    def data_received(self, data: bytes) -> None:
        # In pieces: the limit of a head is looked at when a piece has not ended it.
        for start in range(0, len(data), HEAD_MAX):
            piece = data[start : start + HEAD_MAX]
            if self.transport.is_closing() or self._is_wasted(piece):
                return
            super().data_received(piece)
            self._note()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()
        self._note()

    def send_400_response(self, msg: str) -> None:
        """Without the page in the log that uvicorn writes where an answer has begun already, or a
        route is about to give another."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.abort()

    @property
    def since(self) -> float:
        """On the event loop's clock: when the caller began to owe what it owes."""
        return self._since

    @property
    def keeps_us_waiting(self) -> bool:
        """Whether we wait for the caller, and not it for us."""
        if self.transport.is_closing():
            return False
        unread = self.transport.get_write_buffer_size() > 0
        return unread or self._state in (h11.IDLE, h11.SEND_BODY)

    def is_overdue(self, now: float) -> bool:
        """To be asked now and then: how long an answer waits is known from one time to the next."""
        if self.transport.get_write_buffer_size() == 0:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        if self._unread_since is not None and now - self._unread_since > TAKEN_S:
            return True
        waited = now - self._since
        if self._state is h11.IDLE:
            return waited > HEAD_S
        return self._state is h11.SEND_BODY and waited > BODY_S + OVERDUE_S

    def abort(self) -> None:
        """Its descriptor is free at the next turn of the event loop."""
        self.transport.abort()

    def _note(self) -> None:
        state = self.conn.their_state
        if state is not self._state:
            self._state, self._since = state, self.loop.time()
            self._wasted = 0

    def _is_wasted(self, piece: bytes) -> bool:
        answered = self.cycle is not None and self.cycle.response_complete
        if answered and self._state is h11.SEND_BODY:
            self._wasted += len(piece)
            if self._wasted > WASTED_MAX:
                self.abort()
                return True
        return False
