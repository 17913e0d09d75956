"""Timeouts for slow clients, on the connection itself.

uvicorn limits neither how long a request's head may take nor its body, and waits forever for a
client that does not read its response. All three are limited here, below every route.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.environment.ip_addresses import parse_ip_address
from bot.http.request_limits import BODY_S

HEAD_MAX = 16 * 1024  # bytes of an incomplete head; one that arrives whole may have twice as many
HEAD_S = 10  # real seconds for a whole head, from the connection or from the last response
OVERDUE_S = 5.0  # on top of BODY_S, so that a late body gets its 408 before it is cut off
TAKEN_S = 30.0  # real seconds within which the client must read a response
WASTED_MAX = 256 * 1024  # bytes of a body that may still arrive after its response


class Connection(H11Protocol):
    """uvicorn's protocol, which also tracks what it waits for: a head, the rest of a body, or for
    the client to read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None and (address := parse_ip_address(self.client[0])) is not None:
            self.client = (str(address), self.client[1])
        self._state: Any = self.conn.their_state
        self._since = self.loop.time()
        self._unread_since: float | None = None
        self._wasted = 0

    def data_received(self, data: bytes) -> None:
        # In pieces, because h11 checks the head limit after each piece that does not complete it.
        for start in range(0, len(data), HEAD_MAX):
            piece = data[start : start + HEAD_MAX]
            if self.transport.is_closing() or self._is_wasted(piece):
                return
            super().data_received(piece)
            self._track_state()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()
        self._track_state()

    def send_400_response(self, msg: str) -> None:
        """Avoids the traceback that uvicorn logs if a response has begun, or a route is about to
        give another."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.abort()

    @property
    def since(self) -> float:
        """When the current wait for the client began, on the event loop's clock."""
        return self._since

    @property
    def keeps_us_waiting(self) -> bool:
        """Whether we wait for the client rather than the client for us."""
        if self.transport.is_closing():
            return False
        unread = self.transport.get_write_buffer_size() > 0
        return unread or self._state in (h11.IDLE, h11.SEND_BODY)

    def is_overdue(self, now: float) -> bool:
        """Call regularly: the time a response waits unread is measured from call to call."""
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
        """The descriptor is free after the next iteration of the event loop."""
        self.transport.abort()

    def _track_state(self) -> None:
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
