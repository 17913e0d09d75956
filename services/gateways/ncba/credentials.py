"""Settings and secrets for calling NCBA's collections API (facts: NCBA 1, 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from services.domain.topup import account_reference


@dataclass(frozen=True, slots=True)
class NcbaCredentials:
    """``account_ref_template`` makes the ``AccountNo`` of a prompt: whether it may carry our own
    reference depends on the product NCBA sold. ``user_agent`` is our own, because NCBA's gateway
    rejects those of common libraries.

    Raises ``ValueError`` on a base URL that is not http(s) and on an unknown placeholder, so that
    neither is discovered while money is being sent.
    """

    base_url: str
    username: str
    password: str = field(repr=False)
    paybill_no: str
    account_number: str
    account_ref_template: str = "{account}#{reference}"
    till: str | None = None  # the till that QR pictures pay into
    user_agent: str = "Hazina/0.1"
    connect_s: float = 5.0
    call_s: float = 20.0

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"not an http(s) address: {self.base_url!r}")
        try:
            self.account_reference("TU-222222")
        except (KeyError, IndexError, AttributeError):
            raise ValueError(
                f"only {{account}} and {{reference}} may stand in {self.account_ref_template!r}"
            ) from None

    def url(self, path: str) -> str:
        """Concatenated: a URL join would drop the base's own path (facts: NCBA 3)."""
        return self.base_url.rstrip("/") + path

    def qr_till(self, reference: str) -> str:
        """What a QR picture pays to: the till, then ``#`` and what it is paid for."""
        assert self.till is not None, "who has no till makes no pictures"
        return f"{self.till}#{account_reference(reference)}"

    def account_reference(self, reference: str) -> str:
        """The ``AccountNo`` of a top-up, its reference without the dash: ``774451#TU7K3QF9``."""
        return self.account_ref_template.format(
            account=self.account_number, reference=account_reference(reference)
        )
