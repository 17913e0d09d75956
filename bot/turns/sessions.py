"""Conversation state: stored after every turn, with parsed sessions cached for the next one."""

from __future__ import annotations

from typing import NamedTuple

from flows.engine.session import IDLE_TIMEOUT, FlowRegistry, Session
from services.domain.session import SessionRow
from services.ports import Tx

SESSIONS_CACHED_MAX = 1_000  # most recently saved conversations; others are parsed again


class _CachedSession(NamedTuple):
    turn: int
    body: str
    session: Session


class SessionCache:
    """The database is authoritative. Each cached session keeps the text it was saved as, and is
    used only if the database still holds that exact text. After a rollback, or a write by somebody
    else, the session is simply parsed again.

    ``load`` hands a session out once, and ``save`` takes it back: the caller must not change it
    after saving. Only the writer may call these two; anybody may ``peek``.
    """

    def __init__(self, flows: FlowRegistry, at_hand: int = SESSIONS_CACHED_MAX) -> None:
        self._flows = flows
        self._at_hand = at_hand
        self._cached: dict[tuple[str, str], _CachedSession] = {}  # oldest save first

    def load(self, tx: Tx, channel: str, address: str) -> Session:
        """The conversation as it is now, to be changed and saved. An expired one is closed."""
        cached = self._cached.pop((channel, address), None)
        row = tx.sessions.load(channel, address)
        if cached is None or row is None or (row.turn, row.body) != (cached.turn, cached.body):
            return self._read(tx, row)
        return _of_now(tx, row, cached.session)

    def peek(self, tx: Tx, channel: str, address: str) -> Session:
        """The conversation as it is now, for reading only."""
        return self._read(tx, tx.sessions.load(channel, address))

    def save(
        self, tx: Tx, channel: str, address: str, session: Session, *, touched: bool = True
    ) -> None:
        """``touched``: the person did something, so the idle timeout starts again."""
        frame = session.active
        expires_at = None
        if session.may_expire:
            row = None if touched else tx.sessions.load(channel, address)
            expires_at = tx.now + IDLE_TIMEOUT if row is None else row.expires_at
        body = session.dump()
        tx.sessions.save(
            channel,
            address,
            SessionRow(
                turn=session.turn,
                flow=None if frame is None else frame.flow.name,
                node=None if frame is None else frame.node,
                body=body,
                expires_at=expires_at,
            ),
        )
        self._cached[channel, address] = _CachedSession(session.turn, body, session)
        if len(self._cached) > self._at_hand:
            del self._cached[next(iter(self._cached))]

    def _read(self, tx: Tx, row: SessionRow | None) -> Session:
        if row is None:
            return Session()
        return _of_now(tx, row, Session.load(self._flows, row.turn, row.body))


def _of_now(tx: Tx, row: SessionRow, session: Session) -> Session:
    if row.expires_at is not None and row.expires_at <= tx.now:
        session.expire()
    return session
