"""What payers do with a prompt on their phones: at once, or with the next prompt only."""

from __future__ import annotations

from enum import StrEnum

from bot.simulation.ncba.prompts import PromptRegistry, PromptState, SentPrompt


class Handset(StrEnum):
    """As scripts spell it (``@handset``)."""

    PAYS = "pays"
    CANCELS = "cancels"
    WRONG_PIN = "wrong-pin"
    NO_FUNDS = "no-funds"
    IGNORES = "ignores"
    OFF = "off"


_ENDS = {
    Handset.PAYS: PromptState.PAID,
    Handset.CANCELS: PromptState.CANCELLED,
    Handset.WRONG_PIN: PromptState.WRONG_PIN,
    Handset.NO_FUNDS: PromptState.NO_FUNDS,
    Handset.OFF: PromptState.UNREACHABLE,
}


class Handsets:
    """All phones. By default a payer does nothing and the prompt expires."""

    def __init__(self, prompts: PromptRegistry) -> None:
        self._prompts = prompts
        self._armed: dict[str, Handset] = {}

    def set_action(self, phone: str, does: Handset) -> None:
        """Act on the open prompt, or else on the next one; the latest action counts."""
        prompt = self._prompts.newest_open(phone)
        if prompt is None:
            self._armed[phone] = does
        else:
            self._act(prompt, does)

    def show(self, prompt: SentPrompt) -> None:
        """Show a prompt on its phone."""
        does = self._armed.pop(prompt.phone, Handset.IGNORES)
        self._act(prompt, does)

    def _act(self, prompt: SentPrompt, does: Handset) -> None:
        if does is not Handset.IGNORES:
            self._prompts.end(prompt, _ENDS[does])
