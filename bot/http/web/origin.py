"""Who may ask a page for something: this machine's names in ``Host``, and no other site's page."""

from __future__ import annotations

import re

from starlette.requests import Request

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


def is_loopback_host(host: str) -> bool:
    """A name that resolves elsewhere may lead here all the same (DNS rebinding)."""
    return _LOOPBACK.fullmatch(host) is not None


def only_host(request: Request) -> str | None:
    """The one ``Host`` that the request names."""
    hosts = request.headers.getlist("host")
    return hosts[0] if len(hosts) == 1 else None


def is_from_own_page(request: Request, origin: str) -> bool:
    """Whether no other site's page made the browser send this. A caller that is no browser says
    nothing of this kind.

    Our pages give no referrer, so browsers name ``null`` as the origin of their forms; then only
    the browser's own word on the site counts.
    """
    origins = request.headers.getlist("origin")
    sites = request.headers.getlist("sec-fetch-site")
    if origins == ["null"]:
        return sites == ["same-origin"]
    return all(named.casefold() == origin.casefold() for named in origins) and all(
        site in ("same-origin", "none") for site in sites
    )
