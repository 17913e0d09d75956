"""The gateway of Africa's Talking (facts: USSD 1 to 3)."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import PlainTextResponse, Response

from bot.http import form
from bot.http.ussd import africas_talking_events
from bot.http.ussd.africas_talking_fields import NAME, read_fields, read_session
from bot.http.ussd.service_codes import ServiceCodes
from services.domain.ussd import PAGE_SEPTETS, Hop, UssdEvent

FIELDS_MAX = 10  # a hop has five
TEXT_MAX = 1_000  # characters typed in one session; Safaricom takes 80 for one answer


class AfricasTalking:
    """``codes`` are the registered service codes, such as ``*384*7#``."""

    name = NAME
    media_type = form.MEDIA_TYPE

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes = ServiceCodes(codes)

    def parse(self, body: bytes) -> Hop | None:
        """``text`` is everything typed since the dial, joined by ``*``; 1,000 characters at most.

        A tail (``*384*7*1*500#``) is the beginning of ``text`` on some routes, and may stay in
        ``serviceCode`` on others. There it comes with every hop, so put before ``text`` each time
        it gives the same: ``1*500``, then ``1*500*1``.
        """
        fields = read_fields(body, FIELDS_MAX)
        session = None if fields is None else read_session(fields, self._codes)
        if fields is None or session is None or "text" not in fields:
            return None
        text = "*".join(part for part in (session.tail, fields["text"]) if part)
        if len(text) > TEXT_MAX:
            return None
        return Hop(
            NAME,
            session.session,
            session.phone,
            session.code,
            session.network,
            text,
            budget=self.budget(session.network),
        )

    def reply(self, page: str, *, goes_on: bool) -> Response:
        """Anything before ``CON`` or ``END``, or another status, ends the session with an error on
        the phone (facts: USSD 2)."""
        return PlainTextResponse(f"{'CON' if goes_on else 'END'} {page}")

    def budget(self, network: str) -> int:
        """Safaricom shows 160 characters. Airtel shows 184, but a longer page is cut by the
        gateway wherever it likes, with ``98`` and ``00`` of its own: those keys would never reach
        us (facts: USSD 2)."""
        return PAGE_SEPTETS

    def read_event(self, body: bytes) -> UssdEvent | None:
        return africas_talking_events.read_event(body, self._codes)
