"""Settings and secrets for calling NCBA's Open Banking API (facts: NCBA 3, 4, 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class OpenBankingCredentials:
    """``debit_account`` pays for the float; ``to_account_name`` is sent as ``reqToAccountName``, or
    ``agent_name`` if it is empty.

    NCBA publishes no answer of the two calls that decide over money, so the meaning of their codes
    is configured here: ``success_codes`` and ``refusal_codes`` (a final no) of the purchase; those
    of the former in ``accepted_codes`` only mean that the request was accepted, and the status
    query decides; ``bought_codes`` and ``failed_codes`` (a final no) of the status query. A code in
    no table is never final. ``success_codes`` also applies to the statement.

    Raises ``ValueError`` on a base URL that is not http(s), on a subscription key unfit for a
    header, and on a code that is blank or ambiguous, so that none of them is discovered while money
    is being sent.
    """

    base_url: str  # given by NCBA; there is no default
    subscription_key: str = field(repr=False)
    user_id: str
    password: str = field(repr=False)
    debit_account: str
    agent_name: str
    to_account_name: str = ""
    country: str = "Kenya"
    user_agent: str = "Hazina/0.1"
    success_codes: frozenset[str] = frozenset({"000"})
    refusal_codes: frozenset[str] = frozenset()
    accepted_codes: frozenset[str] = frozenset()
    bought_codes: frozenset[str] = frozenset({"000"})
    failed_codes: frozenset[str] = frozenset()
    connect_s: float = 5.0
    token_s: float = 20.0
    status_s: float = 20.0
    purchase_s: float = 60.0
    part_shillings: bool = False  # NCBA has confirmed that amounts may have cents

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"not an http(s) address: {self.base_url!r}")
        if not re.fullmatch(r"[!-~]+", self.subscription_key):
            raise ValueError("the subscription key is not one word of printable ASCII")
        for call, yes, no in (
            ("the purchase", self.success_codes | self.accepted_codes, self.refusal_codes),
            ("the status query", self.bought_codes, self.failed_codes),
        ):
            if any(not code.strip() for code in yes | no):
                raise ValueError(f"a blank code of {call} means nothing")
            if yes & no:
                raise ValueError(f"a code of {call} is both yes and no: {sorted(yes & no)}")

    def url(self, path: str) -> str:
        """Concatenated: a URL join would drop the base's own path (facts: NCBA 3)."""
        return self.base_url.rstrip("/") + path
