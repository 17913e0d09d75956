"""Phones that dial, and the gateway between them and the product, in Africa's Talking's format.

They belong to the outside: a session goes on when the product has been restarted or killed, and a
hop that was not answered is sent again (facts: USSD 1 and 2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.types import ASGIApp

from bot.simulation.asgi_call import asgi_call
from bot.simulation.credentials import USSD_CODE, USSD_SECRET
from services.domain import gsm7
from services.domain.ussd import PAGE_SEPTETS

SAFARICOM = "63902"
TRIES_MAX = 5  # of a hop that the product does not answer
_PREFIXES = {"CON ": True, "END ": False}
_HEADERS = ((b"content-type", b"application/x-www-form-urlencoded"), (b"host", b"desk.example"))


class PhoneFault(Exception):
    """The product answered as no gateway would take it. The text says what came."""


class ShownPage(NamedTuple):
    """What a phone shows. ``goes_on``: it asks for more. ``known``: the same bytes have answered
    this hop before; ``redrawn``: they have answered the newest hop of the session."""

    text: str
    goes_on: bool
    known: bool = False
    redrawn: bool = False

    @property
    def septets(self) -> int:
        """Of what the gateway was sent, ``CON`` or ``END`` included."""
        return gsm7.width(f"CON {self.text}")


@dataclass(slots=True)
class Dialled:
    """One session of a phone. ``text`` is of the newest hop that its owner has sent, ``last`` of
    the one that was sent last, ``newest`` of the longest that went on from those before;
    ``answers`` are the bodies by text. ``shown`` is what the phone shows, if anything, ``took_s``
    how long the newest request took."""

    session: str
    phone: str
    dialled: str
    code: str
    text: str
    last: str = ""
    newest: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    shown: ShownPage | None = None
    took_s: float = 0.0

    @property
    def goes_on(self) -> bool:
        """Whether the phone shows a page that asks for more."""
        return self.shown is not None and self.shown.goes_on


class Phones:
    """``door`` is the product's. ``answered`` is told the seconds that each hop took."""

    def __init__(
        self, door: ASGIApp, answered: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self._door = door
        self._answered = answered
        self._count = 0
        self._sessions: dict[str, Dialled] = {}  # the newest of each phone

    def session(self, phone: str) -> Dialled | None:
        """The newest session of the phone, also one that is over."""
        return self._sessions.get(phone)

    def dial(self, phone: str, code: str, copies: int = 1) -> Awaitable[ShownPage]:
        """Dial the service code, or more behind it (``*384*7*1*500#``), which comes as text. The
        session is there at once, its page when the dial has been answered."""
        registered, text = code, ""
        if code.startswith(f"{USSD_CODE[:-1]}*") and code.endswith("#"):
            registered, text = USSD_CODE, code[len(USSD_CODE) : -1]
        self._count += 1
        dialled = Dialled(f"ATUid_{self._count:032x}", phone, code, registered, text)
        self._sessions[phone] = dialled
        return self._send(dialled, text, copies)

    def press(self, phone: str, typed: str, copies: int = 1) -> Awaitable[ShownPage]:
        """Answer the newest page, or what was the newest if the session is over."""
        dialled = self._sessions[phone]
        text = f"{dialled.text}*{typed}" if dialled.text else typed
        dialled.text = text
        return self._send(dialled, text, copies)

    def hang_up(self, phone: str) -> None:
        """The phone shows nothing any more; the gateway need not say so (facts: USSD 3)."""
        if phone in self._sessions:
            self._sessions[phone].shown = None

    def lose(self, phone: str, typed: str) -> None:
        """Answer the newest page with a hop that never arrives; the next one brings it along."""
        dialled = self._sessions[phone]
        dialled.text = f"{dialled.text}*{typed}" if dialled.text else typed

    async def send_text(self, phone: str, text: str, copies: int = 1) -> ShownPage:
        """Send a hop with this text, as a gateway that has lost or mixed up others."""
        return await self._send(self._sessions[phone], text, copies)

    async def send_again(self, phone: str, copies: int = 1) -> ShownPage:
        dialled = self._sessions[phone]
        return await self._send(dialled, dialled.last, copies)

    async def send_from(self, phone: str, other: str) -> ShownPage:
        """The newest hop of ``phone`` once more, as if ``other`` had sent it."""
        dialled = self._sessions[phone]
        return _shown(await self._post(dialled, dialled.last, other))

    async def _send(self, dialled: Dialled, text: str, copies: int) -> ShownPage:
        before, newest = dialled.answers.get(text), dialled.answers.get(dialled.newest)
        dialled.last = text
        bodies = await asyncio.gather(
            *(self._post(dialled, text, dialled.phone) for _ in range(copies))
        )
        if len(set(bodies)) > 1:
            raise PhoneFault(f"the same hop was answered in two ways: {sorted(set(bodies))}")
        body = bodies[0]
        is_redrawn = newest is not None and body == newest
        if before is not None and body != before and (text == dialled.newest or not is_redrawn):
            raise PhoneFault(f"a hop was answered before with {before!r}, and now with {body!r}")
        if not dialled.newest or text.startswith(f"{dialled.newest}*"):
            dialled.newest = text
        dialled.answers.setdefault(text, body)
        page = _shown(body)._replace(known=before is not None, redrawn=is_redrawn)
        dialled.shown = page
        return page

    async def _post(self, dialled: Dialled, text: str, phone: str) -> str:
        form = urlencode(
            {
                "sessionId": dialled.session,
                "phoneNumber": f"+{phone}",
                "networkCode": SAFARICOM,
                "serviceCode": dialled.code,
                "text": text,
            }
        ).encode()
        status = 0
        for _ in range(TRIES_MAX):
            began = asyncio.get_running_loop().time()
            came = await asgi_call(self._door, "POST", f"/ussd/{USSD_SECRET}", b"", _HEADERS, form)
            dialled.took_s = asyncio.get_running_loop().time() - began
            self._answered(dialled.took_s)
            status = came.status
            if status == 200:
                return came.body.decode()
            if status < 500:
                break
        raise PhoneFault(f"status {status}")


def _shown(body: str) -> ShownPage:
    goes_on = _PREFIXES.get(body[:4])
    if goes_on is None:
        raise PhoneFault(f"neither CON nor END: {body!r}")
    septets = gsm7.septets(body)
    if septets is None or septets > PAGE_SEPTETS or len(body) > PAGE_SEPTETS:
        raise PhoneFault(f"{septets} septets of GSM-7, of {PAGE_SEPTETS} at most: {body!r}")
    return ShownPage(body[4:], goes_on)
