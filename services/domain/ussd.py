"""Sessions of USSD: what a gateway brings, and what is kept of it (facts: USSD)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

PAGE_SEPTETS = 160  # of GSM-7, the least that a network shows, prefix included (facts: USSD 2)
CHANNEL = "ussd"  # its addresses are the numbers that dial, as MSISDNs
SESSION_LIFE = timedelta(seconds=165)  # networks end a session at 180 s (facts: USSD 2)


class Hop(NamedTuple):
    """One request of a gateway: a dial, or one more answer in its session.

    ``phone`` is an MSISDN of any country, ``code`` the registered service code, and ``text`` all
    that was typed since the dial, joined by ``*``; where ``newest_only`` it is the newest answer
    alone. ``network`` is as the gateway names it, empty if it does not, and ``budget`` are the
    septets that a page may have there.
    """

    gateway: str
    session: str
    phone: str
    code: str
    network: str
    text: str
    newest_only: bool = False
    budget: int = PAGE_SEPTETS

    def __repr__(self) -> str:
        """Without the text, which may hold a PIN, and the whole number."""
        return f"Hop({self.gateway}, {self.session}, {self.code})"


class Page(NamedTuple):
    """One page for a phone. ``goes_on``: it asks for more."""

    text: str
    goes_on: bool


# Said only where nothing was committed, and nothing will be.
BUSY = Page("Service busy, nothing was taken. Dial again.", goes_on=False)


class UssdSession(NamedTuple):
    """One session as stored. ``text_digest`` is keyed by ``key_id``; ``screen`` is what the keys of
    the page ``answer`` mean, ``None`` once the session is over."""

    gateway: str
    session: str
    phone: str
    code: str
    network: str
    begun_at: datetime
    heard_at: datetime
    hops: int
    text_length: int
    text_digest: str
    key_id: str
    answer: str
    screen: str | None
    disputed_at: datetime | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the newest page asks for more."""
        return self.screen is not None


class UssdEvent(NamedTuple):
    """What a gateway says of a session that has ended. ``phone`` is masked; ``status`` is
    ``success``, ``incomplete`` or ``failed``; ``cost_cents`` are of KES."""

    gateway: str
    session: str
    phone: str
    network: str
    code: str
    status: str
    hops: int
    duration_ms: int
    cost_cents: int
    error: str | None
