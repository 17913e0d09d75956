"""Which node of a Patroni cluster is the primary, by what Patroni says of it.

PostgreSQL's own word is not enough: a leader whose Patroni is frozen goes on taking connections,
and counts as read-write beside the new one (facts: postgres 8).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple
from urllib.parse import urlsplit

LIMIT_S = 1.0
PAUSE_S = 1.0  # between two questions while nobody leads
ANSWER_MAX = 65_536  # bytes
PORT = 5432


class Primary(NamedTuple):
    host: str
    port: int


class _Answer(NamedTuple):
    timeline: int | None  # of a primary; None: it is none
    host: str


def find_primary(urls: Sequence[str], port: int = PORT, limit_s: float = LIMIT_S) -> Primary | None:
    """Ask ``GET /primary`` of each node's Patroni, such as ``http://10.0.0.11:8008``, all at once.

    The primary's server is on the same host, at ``port``. ``None`` when none says that it is, for
    ``limit_s`` at most. Where two say so, one has just been replaced and does not know it yet: the
    other one has the higher timeline.
    """
    ends_at = time.monotonic() + limit_s
    answers: SimpleQueue[_Answer] = SimpleQueue()
    for url in urls:
        Thread(target=_ask, args=(url, limit_s, answers), daemon=True).start()
    found: list[_Answer] = []
    for _ in urls:
        try:
            found.append(answers.get(timeout=max(0.0, ends_at - time.monotonic())))
        except Empty:
            break
    primaries = [(one.timeline, one.host) for one in found if one.timeline is not None]
    return Primary(max(primaries)[1], port) if primaries else None


class PrimarySearch:
    """``find_primary`` for all connections of a process: whoever asks while a question is under way
    gets its answer, and once nobody leads, nobody is asked again for ``PAUSE_S``.

    For as long as there is no leader, a standby's Patroni (4.1.5) opens a connection to its own
    server for each question. Those of many desks would take the processor from the election.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._lock = Lock()
        self._asked: Future[Primary | None] | None = None
        self._asks_again_at = 0.0

    def find(self) -> Primary | None:
        with self._lock:
            if time.monotonic() < self._asks_again_at:
                return None
            asked = self._asked
            if asked is None:
                mine = self._asked = Future()
        if asked is not None:
            return asked.result()
        found = None
        try:
            found = find_primary(self._urls)
        finally:
            with self._lock:
                self._asked = None
                if found is None:
                    self._asks_again_at = time.monotonic() + PAUSE_S
            mine.set_result(found)
        return found


@cache
def primary_search(urls: tuple[str, ...]) -> PrimarySearch:
    """This process' own, one for each cluster."""
    return PrimarySearch(urls)


def _ask(url: str, limit_s: float, answers: SimpleQueue[_Answer]) -> None:
    where = urlsplit(url)
    host = where.hostname or ""
    kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
    connection = kind(host, where.port, timeout=limit_s)
    timeline = None
    try:
        connection.request("GET", f"{where.path.rstrip('/')}/primary")
        answer = connection.getresponse()
        if answer.status == 200:
            timeline = _timeline(answer.read(ANSWER_MAX))
    except (OSError, HTTPException):
        pass
    finally:
        connection.close()
        answers.put(_Answer(timeline, host))


def _timeline(body: bytes) -> int:
    """0 when it does not say: the answer is its status, this only decides between two."""
    try:
        return int(json.loads(body)["timeline"])
    except (ValueError, KeyError, TypeError):
        return 0
