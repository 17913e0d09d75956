"""A phone that dials, as the bytes a gateway would send us."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count
from urllib.parse import urlencode

from starlette.types import ASGIApp

from bot.app import App
from bot.bench.program import Person
from bot.http.request_limits import with_request_limits
from bot.http.ussd.africas_talking import AfricasTalking
from bot.http.ussd.routes import UssdEndpoint, hop_route
from bot.simulation.asgi_call import asgi_call

CODE = "*384*7#"
SECRET = "an-address-that-only-the-benchmark-knows"
SAFARICOM = "63902"
_HEADERS = ((b"content-type", b"application/x-www-form-urlencoded"), (b"host", b"desk.example"))


def door(app: App) -> ASGIApp:
    """Where a gateway calls, as served, without a socket."""
    endpoint = UssdEndpoint(SECRET, AfricasTalking((CODE,)))
    return with_request_limits([hop_route(app.hops.answer, endpoint)])


class Dialler:
    """One person's phone, session after session."""

    _sessions = count(1)  # of all phones: a session's id is never used twice

    def __init__(self, door: ASGIApp, person: Person) -> None:
        self._door = door
        fixed = {
            "phoneNumber": f"+{person.phone.msisdn}",
            "networkCode": SAFARICOM,
            "serviceCode": CODE,
        }
        self._form = urlencode(fixed)
        self._session = ""
        self._text = ""

    async def dial(self, tail: str = "") -> tuple[float, bytes]:
        self._session = f"ATUid_{next(self._sessions):032x}"
        self._text = tail
        return await self._send()

    async def press(self, keys: str) -> tuple[float, bytes]:
        self._text = f"{self._text}*{keys}" if self._text else keys
        return await self._send()

    async def perform(self, session: Sequence[str]) -> list[float]:
        """A whole session: what is dialled behind the code, then each answer. Returns the seconds
        of each hop. Raises if it does not end with the last of them."""
        taken = []
        for n, keys in enumerate(session, start=1):
            seconds, body = await (self.dial(keys) if n == 1 else self.press(keys))
            taken.append(seconds)
            if body.startswith(b"END ") is not (n == len(session)):
                raise RuntimeError(f"hop {n} of {session} was answered with {body!r}")
        return taken

    async def _send(self) -> tuple[float, bytes]:
        """The seconds from the request's bytes to the answer's, and the answer."""
        text = self._text.replace("*", "%2A")
        form = f"{self._form}&sessionId={self._session}&text={text}".encode()
        began = time.perf_counter()
        answer = await asgi_call(self._door, "POST", f"/ussd/{SECRET}", b"", _HEADERS, form)
        seconds = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(f"a hop was answered with status {answer.status}")
        return seconds, answer.body
