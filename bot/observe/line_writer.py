"""Writes log lines without ever blocking or failing the program."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

WAITING_MAX = 1 << 20  # bytes waiting for a slow reader of the log
POLL_MS = 1_000


class LineWriter:
    """Writes a line immediately when that cannot block: to a file, or to a pipe with room.

    Otherwise lines wait, in order, for a thread that writes them. Beyond ``WAITING_MAX``, and when
    writing fails (the reader is gone, the disk is full), a line is dropped and counted in ``lost``.
    ``say_lost`` formats the line that reports the count once writing works again.
    """

    def __init__(self, stream: TextIO, say_lost: Callable[[int], str]) -> None:
        self._stream = stream
        self._say_lost = say_lost
        self._handle = _handle(stream)
        self._ready = select.poll()
        if self._handle is not None:
            self._ready.register(self._handle, select.POLLOUT)
        # Reentrant: a finaliser may log on the same thread while a line is being written.
        self._lock = threading.RLock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._thread: threading.Thread | None = None
        self._is_midway = False  # inside a line
        self._is_torn = False  # the previous line is incomplete
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
        """Wait up to ``limit_s`` for the backlog to be written."""
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
        """For streams without a file descriptor, as in tests."""
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            self.lost += 1

    def _write_now(self, handle: int, data: bytes) -> bytes:
        """Returns the rest, which would have blocked."""
        while data and self._ready.poll(0):
            written = self._write_some(handle, data)
            if not written:
                break
            data = data[written:]
        return data

    def _write_some(self, handle: int, data: bytes) -> int:
        """Write what a ready pipe can take; returns how many bytes are written or dropped."""
        try:
            written = os.write(handle, data[: select.PIPE_BUF])
        except BlockingIOError:  # another process made the pipe non-blocking
            return 0
        except OSError:
            self.lost += 1
            self._is_torn = self._is_midway
            return len(data)
        self._is_midway = not data[:written].endswith(b"\n")
        return written

    def _drain(self, handle: int) -> None:
        ready = select.poll()  # a poll object must not be shared between threads
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
