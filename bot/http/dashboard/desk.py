"""What tiles see of the running program besides its database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.app import App
from bot.handlers.state_words import state_key
from services.domain.fees import Fee


@dataclass(frozen=True, slots=True)
class Desk:
    """Looked at on a reader's thread: nothing here changes anything."""

    app: App
    backups: Path | None  # their folder; None: none are made

    def phrase(self, kind: str, value: object) -> str:
        """The words for a stored value (``Texts.phrase``)."""
        return self.app.context.texts.phrase("en", kind, value)

    def say(self, key: str, facts: Mapping[str, object] | None = None) -> str:
        return self.app.context.texts.say("en", key, facts)

    def fee(self, fee: Fee) -> str:
        return self.say("fees.kind.line", {"terms": fee})

    def state(self, state: str, reference: str = "") -> str:
        """``reference`` of the operation that stands so, or the prefix of its kind."""
        return self.say(state_key(self.app.context.texts, "en", reference, state))
