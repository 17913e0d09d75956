"""One transaction as the use cases see it: the stores, and the moment it happens at."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from storage.evidence import EvidenceStore
from storage.ledger import LedgerStore
from storage.limits import LimitStore
from storage.moment import Moment
from storage.outbox import OutboxStore
from storage.people import PeopleStore
from storage.sessions import SessionStore
from storage.topups import TopUpStore
from storage.trail import TrailStore


class SqliteTx:
    """Lives as long as its connection; ``begin`` gives each function its own moment."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        moment = Moment(datetime.fromtimestamp(0, UTC))
        self.conn = conn
        self._moment = moment
        self.ledger = LedgerStore(conn, moment)
        self.topups = TopUpStore(conn, moment)
        self.evidence = EvidenceStore(conn, moment)
        self.limits = LimitStore(conn, moment)
        self.people = PeopleStore(conn, moment)
        self.sessions = SessionStore(conn, moment)
        self.outbox = OutboxStore(conn, moment)
        self.trail = TrailStore(conn, moment)

    @property
    def now(self) -> datetime:
        return self._moment.now

    def begin(self, now: datetime) -> None:
        """Set the moment for the next function; it never runs backwards."""
        self._moment.advance(now)

    def forget(self) -> None:
        """Drop what was cached: a rollback may have taken its rows back."""
        self.people.forget()
        self.limits.forget()
