"""The processes that serve one database: who they are, who leads, and what one tells the others.

Each process says every second that it is there. One of them leads: it runs what only one may, such
as the nightly jobs and the sending of messages. It leads until a moment that it moves on every
second; whoever finds that moment past leads from then on, with the next epoch, which the
transactions of leading work compare. So a leader that was frozen and goes on writes nothing more as
a leader (facts: postgres 5). All times are the server's, since machines' clocks differ.

After a commit that concerns others, one notification goes to all of them. One may be lost with a
connection, so everybody also looks every second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import psycopg
import structlog

from services.domain.database import OtherProcess
from storage.postgres.connection import PostgresConnection
from storage.time.milliseconds import from_ms

_log = structlog.get_logger(__name__)

EVERY_S = 1.0
LEADS_FOR_S = 6.0  # after its newest word; a leader stops by itself a little earlier
STOPS_AFTER_S = 4.0
GONE_AFTER_S = 15.0  # without a word, while the server heard others: its leases are ended
HEARD_AGAIN_S = 3.0  # between two words; after a longer pause nobody can tell who was silent
NEVER = datetime.fromtimestamp(0, UTC)


class ServerClock:
    """The server's time, counted on by this machine between two looks. Readable on any thread.

    A difference is made up slowly, so that time never jumps: only the first look sets it.
    """

    SLEW_MAX_S = 0.05  # per look

    def __init__(self) -> None:
        self._set = (0.0, 0.0)  # the server's seconds since 1970, and our monotonic clock then

    def look(self, server: datetime) -> None:
        at, passed = self._set
        here = time.monotonic()
        seconds = server.timestamp()
        if at:
            expected = at + here - passed
            off = max(-self.SLEW_MAX_S, min(self.SLEW_MAX_S, seconds - expected))
            seconds = expected + off
        self._set = seconds, here

    def now(self) -> datetime:
        at, passed = self._set
        return datetime.fromtimestamp(at + time.monotonic() - passed, UTC)


class Membership:
    """``started`` on the event loop; its thread has a connection of its own. The callbacks are
    called on the event loop unless they say otherwise."""

    def __init__(self, process: str, connection: Callable[[], PostgresConnection]) -> None:
        self.process = process
        self.clock = ServerClock()
        self.others: Sequence[OtherProcess] = ()  # those that are there besides this one
        self.says = ""  # what they are told of this one
        self.follows = True  # another leads, as far as is known
        self.epoch = 0  # in which this process leads; 0: it does not
        self.writer_pid = 0  # of the server's process for our own notifications
        self.on_leading: Callable[[bool], None] = lambda leads: None
        self.on_notified: Callable[[str], None] = lambda payload: None
        self.mark: Callable[[PostgresConnection], None] = lambda conn: None  # time, while it leads
        self.on_tick: Callable[[], None] = lambda: None
        self.on_gone: Callable[[Collection[str]], None] = lambda processes: None
        self.on_lost: Callable[[], None] = lambda: None  # its connection; called on its thread
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._leads_until = 0.0  # by the monotonic clock
        self._heard_at = self._heard_since = NEVER  # by the server's clock
        self._ending = Event()
        self._thread = Thread(target=self._run, name="hazina-membership", daemon=True)

    @property
    def leads(self) -> bool:
        return self.epoch > 0 and time.monotonic() < self._leads_until

    def start(self) -> None:
        """Introduce this process, and go on in a thread. Raises ``psycopg.Error``."""
        with self._connected() as conn:
            self._say(conn)
        self._thread.start()

    def stop(self) -> None:
        """Leave, so that another can lead at once. Blocks for at most a second or two."""
        self._ending.set()
        self._thread.join()

    # On its thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with self._connected() as conn:
                    conn.execute("LISTEN hazina")
                    due = 0.0
                    while not self._ending.is_set():
                        if time.monotonic() >= due:
                            self._say(conn)
                            due = time.monotonic() + EVERY_S
                            self._tell(self.on_tick)
                        wait = max(0.0, due - time.monotonic())
                        for notified in conn.driver.notifies(timeout=wait, stop_after=1):
                            if notified.pid != self.writer_pid:
                                self._tell(self.on_notified, notified.payload)
            except psycopg.Error as error:
                self.on_lost()
                self._follow()
                _log.warning("the server does not answer", why=str(error).splitlines()[0])
                self._ending.wait(EVERY_S)
        self._leave()

    @contextmanager
    def _connected(self) -> Iterator[PostgresConnection]:
        conn = self._connection()
        try:
            conn.connect()
            yield conn
        finally:
            conn.close()

    def _say(self, conn: PostgresConnection) -> None:
        began = time.monotonic()
        row = conn.execute(
            "INSERT INTO processes (id, seen_at, says) VALUES (?, now(), ?)"
            " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, says = excluded.says"
            " RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
            (self.process, self.says),
        ).fetchone()
        at = from_ms(row[0])
        self.clock.look(at)
        if self._hears_others(at):
            gone = conn.execute(
                "DELETE FROM processes WHERE seen_at < now() - make_interval(secs => ?)"
                " RETURNING id",
                (GONE_AFTER_S,),
            ).fetchall()
            if gone:
                _log.warning("processes are gone", count=len(gone))
                self._tell(self.on_gone, [process for (process,) in gone])
        rows = conn.execute(
            "SELECT id, says, id = (SELECT process FROM leader WHERE until > now())"
            " FROM processes WHERE id <> ? ORDER BY id",
            (self.process,),
        ).fetchall()
        self.others = [OtherProcess(other, bool(leads), says) for other, says, leads in rows]
        row = conn.execute(
            "UPDATE leader SET process = ?, until = now() + make_interval(secs => ?),"
            " epoch = CASE WHEN process = ? THEN epoch ELSE epoch + 1 END"
            " WHERE process = ? OR until < now() RETURNING epoch",
            (self.process, LEADS_FOR_S, self.process, self.process),
        ).fetchone()
        self.follows = row is None
        if row is None:
            self._follow()
            return
        led, self.epoch = self.leads, int(row[0])
        self._leads_until = began + STOPS_AFTER_S
        self.mark(conn)
        conn.flush()
        if not led:
            _log.info("this process leads", epoch=self.epoch)
            self._tell(self.on_leading, True)

    def _hears_others(self, at: datetime) -> bool:
        """Whether the server was there for so long that whoever was silent is gone. After a
        failover, or when its clock has jumped, all others seem to have been silent."""
        if not timedelta() <= at - self._heard_at <= timedelta(seconds=HEARD_AGAIN_S):
            self._heard_since = at
        self._heard_at = at
        return at - self._heard_since >= timedelta(seconds=GONE_AFTER_S)

    def _follow(self) -> None:
        if self.epoch:
            _log.info("this process leads no longer", epoch=self.epoch)
            self.epoch = 0
            self._tell(self.on_leading, False)

    def _leave(self) -> None:
        try:
            with self._connected() as conn:
                conn.execute("DELETE FROM processes WHERE id = ?", (self.process,))
                conn.execute("UPDATE leader SET until = now() WHERE process = ?", (self.process,))
                conn.flush()
        except psycopg.Error:
            _log.info("left without a word to the server")

    def _tell(self, callback: Callable[..., None], *values: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, *values)
