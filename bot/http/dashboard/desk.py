"""What tiles see of the running program besides its database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.app import App
from bot.handlers.state_words import state_key
from services.domain.fees import Fee
from services.domain.payout import is_payout


@dataclass(frozen=True, slots=True)
class Desk:
    """Looked at on a reader's thread: nothing here changes anything."""

    app: App
    backups: Path | None  # their folder; None: none are made
    why_no_backups: str = ""

    def phrase(self, kind: str, value: object) -> str:
        """The words for a stored value (``Texts.phrase``)."""
        return self.app.context.texts.phrase("en", kind, value)

    def say(self, key: str, facts: Mapping[str, object] | None = None) -> str:
        return self.app.context.texts.say("en", key, facts)

    def fee(self, fee: Fee) -> str:
        return self.say("fees.kind.line", {"terms": fee})

    def state(self, state: str, *, of_payout: bool = False) -> str:
        return self.say(state_key(self.app.context.texts, "en", state, of_payout=of_payout))

    def state_of(self, reference: str, state: str) -> str:
        return self.state(state, of_payout=is_payout(reference))
