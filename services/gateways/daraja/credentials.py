"""Settings and secrets for ordering payments from Daraja (facts: Daraja 1, 2, 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from services.gateways.daraja.pace import MOST_PER_S

PRODUCTION = "https://api.safaricom.co.ke"


@dataclass(frozen=True, slots=True)
class DarajaCredentials:
    """``security_credential`` is the initiator's password as it travels (``seal_password``): the
    password itself need not stay in the process. Results come to ``result_url``, and news of
    requests that wait in a queue to ``timeout_url``. At most ``calls_per_s`` requests leave.

    Raises ``ValueError`` on an address that is not http(s), so that none is discovered while money
    is being sent.
    """

    consumer_key: str
    consumer_secret: str = field(repr=False)
    short_code: str
    initiator_name: str
    security_credential: str = field(repr=False)
    result_url: str = field(repr=False)  # its path is a secret
    timeout_url: str = field(repr=False)
    base_url: str = PRODUCTION
    user_agent: str = "Hazina/0.1"
    connect_s: float = 5.0
    call_s: float = 30.0
    calls_per_s: float = MOST_PER_S

    def __post_init__(self) -> None:
        for name, url in (
            ("base URL", self.base_url),
            ("result URL", self.result_url),
            ("time-out URL", self.timeout_url),
        ):
            address = urlsplit(url)
            if address.scheme not in ("http", "https") or not address.hostname:
                raise ValueError(f"the {name} is not an http(s) address")

    def url(self, path: str) -> str:
        return self.base_url.rstrip("/") + path
