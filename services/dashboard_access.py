"""A one-time link opens a session of the dashboard.

Each function runs inside a transaction and makes no outside calls. Whether somebody is an admin
still is asked by whoever holds the settings, at each request.
"""

from __future__ import annotations

from typing import NamedTuple

from services.domain.dashboard_session import LINK_LIFE, DashboardSession
from services.domain.token import draw_token, token_digest
from services.ports import Random, Tx


class OpenedSession(NamedTuple):
    """``token`` is the session's secret, which is stored nowhere."""

    token: str
    session: DashboardSession


def offer_link(tx: Tx, random: Random, channel: str, address: str) -> str:
    """The link's secret, for this admin alone; any earlier link of theirs is void."""
    token = draw_token(random)
    tx.dashboard_logins.offer(channel, address, token_digest(token), tx.now + LINK_LIFE)
    return token


def spend_link(tx: Tx, random: Random, link: str) -> OpenedSession | None:
    """The session that the link opens, once. ``None`` does not say why."""
    token = draw_token(random)
    session = tx.dashboard_logins.spend(token_digest(link), token_digest(token))
    return None if session is None else OpenedSession(token, session)


def find_session(tx: Tx, token: str) -> DashboardSession | None:
    """The session while it lasts."""
    session = tx.dashboard_logins.session(token_digest(token))
    return None if session is None or session.is_over(tx.now) else session


def note_use(tx: Tx, token: str) -> None:
    """A page was opened: the session lasts on."""
    if find_session(tx, token) is not None:
        tx.dashboard_logins.note_use(token_digest(token))


def end_session(tx: Tx, token: str) -> None:
    tx.dashboard_logins.end(token_digest(token))
