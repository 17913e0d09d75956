"""Who may call an endpoint whose requests are not signed: whoever knows the secret in its path."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from starlette.requests import Request

from bot.environment.ip_addresses import IpNetwork, parse_ip_address


def may_call(request: Request, secret: str, networks: Sequence[IpNetwork] = ()) -> bool:
    """Whether the path's ``secret`` is this one, compared in constant time, and the caller's
    address is in one of the networks (none: any address). Answer 404 otherwise, as if the endpoint
    did not exist."""
    # A path may hold any character; one that cannot be encoded becomes "?" and never matches.
    given = request.path_params["secret"].encode("utf-8", "replace")
    return hmac.compare_digest(given, secret.encode()) and _is_from(request, networks)


def _is_from(request: Request, networks: Sequence[IpNetwork]) -> bool:
    if not networks:
        return True
    address = None if request.client is None else parse_ip_address(request.client.host)
    return address is not None and any(address in network for network in networks)
