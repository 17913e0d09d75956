"""The API user that orders payments, and how it is locked out."""

from __future__ import annotations

from bot.simulation.daraja.result_codes import CREDENTIAL_LOCKED, INITIATOR_INVALID, NOT_PERMITTED
from bot.simulation.daraja.security_credential import password_in

LOCKED_AFTER = 3  # wrong credentials in a row


class Initiator:
    """Each wrong credential moves it toward a lock, which only the business's administrator can
    take off, on the portal (facts: Daraja 4 and 6).
    """

    def __init__(self, name: str, password: str, short_code: str) -> None:
        self._name = name
        self._short_code = short_code
        self._password = password
        self._wrong = 0
        self.credentials: dict[str, None] = {}  # every one that came, to be searched for

    @property
    def is_locked(self) -> bool:
        return self._wrong >= LOCKED_AFTER

    def refusal(self, name: str, credential: str, party: str) -> str | None:
        """The result code for anybody but the initiator, or for another's short code; otherwise
        ``None``. A name that nobody has counts against nobody.
        """
        self.credentials[credential] = None
        if name != self._name:
            return INITIATOR_INVALID
        if self.is_locked:
            return CREDENTIAL_LOCKED
        if password_in(credential) != self._password:
            self._wrong += 1
            return INITIATOR_INVALID
        self._wrong = 0
        return None if party == self._short_code else NOT_PERMITTED

    def unlock(self) -> None:
        """As the administrator does on the portal."""
        self._wrong = 0
