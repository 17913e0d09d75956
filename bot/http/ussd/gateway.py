"""The seam between gateways of USSD, each with a wire format of its own, and our sessions."""

from __future__ import annotations

from typing import Protocol

from starlette.responses import Response

from services.domain.ussd import Hop, UssdEvent


class Gateway(Protocol):
    """One wire format (facts: USSD 1, 2 and 5)."""

    @property
    def name(self) -> str:
        """Stored with each session, so that ids of two gateways never meet."""
        ...

    @property
    def media_type(self) -> str:
        """What its requests are, as their Content-Type says it."""
        ...

    def parse(self, body: bytes) -> Hop | None:
        """What a request says; ``None`` if it is none of this gateway's, or of a code that is not
        ours."""
        ...

    def reply(self, page: str, *, goes_on: bool) -> Response:
        """The answer that shows the page, and keeps the session open or ends it."""
        ...

    def budget(self, network: str) -> int:
        """Septets of GSM-7 that one page may have on that network, with everything the gateway puts
        before it; the least of all for a network that is not known."""
        ...

    def read_event(self, body: bytes) -> UssdEvent | None:
        """What a request says of a session that has ended, without anything that was typed in it;
        ``None`` as for ``parse``, and always from a gateway that says nothing of them."""
        ...
