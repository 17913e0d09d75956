"""Posts one event to a partner's own server: to a checked address, once, and with a limit on all.

Nothing of the answer but its status and its Retry-After is used: an address that should not have
been reached must not be readable through us.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpcore

from services.domain.webhook import NotTaken, WebhookAnswer, read_answer
from services.domain.webhook_url import check_url, split_checked
from services.gateways.webhooks.pinned_network import PinnedNetwork, WebhookProxy
from services.gateways.webhooks.resolver import (
    NotPublic,
    NotResolved,
    Resolve,
    checked_addresses,
    system_resolve,
)
from services.ports import Clock

CALL_S = 20.0  # for everything together, the look-up of the name included
CONNECT_S = 5.0  # to one of a host's addresses
ANSWER_MAX = 1_024  # bytes of the body that are read; more tells us nothing
RETRY_AFTER_DIGITS = 9


class WebhookSender:
    """``services.ports.WebhookTransport``. ``proxy_for`` names the proxy of a URL, if there is one;
    ``network`` is what connections are made with, for tests."""

    def __init__(
        self,
        clock: Clock,
        tls: ssl.SSLContext,
        *,
        resolve: Resolve = system_resolve,
        proxy_for: Callable[[str], WebhookProxy | None] = lambda url: None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._clock = clock
        self._tls = tls
        self._resolve = resolve
        self._proxy_for = proxy_for
        self._network = network

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        # Again, as the rules may have become stricter since it was stored.
        if check_url(url) != url:
            return NotTaken(None, "the address may not be called")
        try:
            async with self._clock.deadline(CALL_S):
                return await self._post(url, headers, body)
        except NotPublic:
            return NotTaken(None, "the name leads to an address that is not public")
        except NotResolved:
            return NotTaken(None, "the name has no address")
        except TimeoutError:
            return NotTaken(None, f"no answer within {CALL_S:g} s")
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            is_tls = isinstance(error.__context__, ssl.SSLError) or "CERTIFICATE" in str(error)
            return NotTaken(None, "its certificate is not valid" if is_tls else "no connection")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
            return NotTaken(None, "the connection broke off")
        except OSError:
            return NotTaken(None, "no connection")

    async def close(self) -> None:
        """Nothing stays open between calls."""

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        host, port, path = split_checked(url)
        addresses = await checked_addresses(host, self._resolve)
        network = PinnedNetwork(addresses, self._tls, self._proxy_for(url), self._network)
        # A pool for one call: a connection that was checked for one name never serves another.
        async with httpcore.AsyncConnectionPool(
            ssl_context=self._tls, network_backend=network, max_connections=1, retries=0
        ) as pool:
            target = httpcore.URL(
                scheme=b"https", host=host.encode(), port=port, target=path.encode()
            )
            named = f"[{host}]" if ":" in host else host
            async with pool.stream(
                "POST",
                target,
                headers=[("host", named if port == 443 else f"{named}:{port}"), *headers.items()],
                content=body,
                extensions={"timeout": {"connect": CONNECT_S, "read": CALL_S, "write": CALL_S}},
            ) as answer:
                assert isinstance(answer.stream, AsyncIterable)
                read = 0
                async for piece in answer.stream:
                    read += len(piece)
                    if read >= ANSWER_MAX:
                        break
                return read_answer(answer.status, self._retry_after(answer.headers))

    def _retry_after(self, headers: list[tuple[bytes, bytes]]) -> timedelta | None:
        """In seconds or as a date (RFC 9110); ``None`` for anything else."""
        found = [value for name, value in headers if name.lower() == b"retry-after"]
        text = found[0].decode("ascii", "replace").strip() if found else ""
        if text.isascii() and text.isdigit():
            return timedelta(seconds=int(text[:RETRY_AFTER_DIGITS]))
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        until: datetime = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max(until - self._clock.now(), timedelta(0))
