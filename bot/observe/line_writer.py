"""Where log lines end. A line is worth no turn: it holds nobody up, and is never a fault."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

WAITING_MAX = 1 << 20  # bytes that wait for whoever reads the log
POLL_MS = 1_000


class LineWriter:
    """Writes a line at once as long as that cannot block: while a pipe has room, and to a file.

    Otherwise lines wait, in their order, for a thread that writes them; beyond ``WAITING_MAX``,
    and where writing fails (nobody reads any more, the disk is full), a line is dropped and
    counted in ``lost``. ``say_lost`` makes the line that says how many, once one gets through.
    """

    def __init__(self, stream: TextIO, say_lost: Callable[[int], str]) -> None:
        self._stream = stream
        self._say_lost = say_lost
        self._handle = _handle(stream)
        self._ready = select.poll()
        if self._handle is not None:
            self._ready.register(self._handle, select.POLLOUT)
        # A finaliser may log in the middle of a line, on the same thread.
        self._lock = threading.RLock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._thread: threading.Thread | None = None
        self._is_midway = False  # in a line
        self._is_torn = False  # the line before broke off there
        self._lost_told = 0
        self.lost = 0

    def write(self, line: str) -> None:
        with self._lock:
            lost = self.lost
            self._put(line)
            if self.lost == lost > self._lost_told and not self._waiting:
                self._lost_told = lost
                self._put(self._say_lost(lost))

    def close(self, limit_s: float) -> None:
        """Give what waits so long to be written."""
        thread = self._thread
        if thread is not None:
            thread.join(limit_s)

    def _put(self, line: str) -> None:
        if self._handle is None:
            self._put_to_stream(line)
            return
        data = f"{line}\n".encode(errors="backslashreplace")
        if self._is_torn:
            self._is_torn, data = False, b"\n" + data
        if not self._waiting:
            data = self._write_now(self._handle, data)
        if not data:
            return
        if self._waiting_bytes + len(data) > WAITING_MAX:
            self.lost += 1
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._drain, args=(self._handle,), name="log", daemon=True
            )
            self._thread.start()

    def _put_to_stream(self, line: str) -> None:
        """A stream in memory, as tests have."""
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: it is closed
            self.lost += 1

    def _write_now(self, handle: int, data: bytes) -> bytes:
        """Returns what would have blocked."""
        while data and self._ready.poll(0):
            written = self._write_some(handle, data)
            if not written:
                break
            data = data[written:]
        return data

    def _write_some(self, handle: int, data: bytes) -> int:
        """As much as a pipe takes that says it is ready; how much of ``data`` is dealt with."""
        try:
            written = os.write(handle, data[: select.PIPE_BUF])
        except BlockingIOError:  # another process has made the pipe so that it never blocks
            return 0
        except OSError:
            self.lost += 1
            self._is_torn = self._is_midway
            return len(data)
        self._is_midway = not data[:written].endswith(b"\n")
        return written

    def _drain(self, handle: int) -> None:
        ready = select.poll()  # its own: one is not shared by threads
        ready.register(handle, select.POLLOUT)
        while True:
            if not ready.poll(POLL_MS):
                continue
            with self._lock:
                data = self._waiting.popleft()
                rest = data[self._write_some(handle, data) :]
                self._waiting_bytes -= len(data) - len(rest)
                if rest:
                    self._waiting.appendleft(rest)
                elif not self._waiting:
                    self._thread = None
                    return


def _handle(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None
