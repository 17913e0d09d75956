"""The simulated SMS inboxes, one a phone."""

from __future__ import annotations

from collections import defaultdict

from bot.channel import Content


class SmsInboxes:
    """``bot.channel.Channel`` for SMS: an address is a phone, a text is read when it is wanted."""

    name = "sms"

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = defaultdict(list)

    async def send(self, address: str, content: Content) -> str:
        self.texts[address].append(content.text)
        return f"{address}-{len(self.texts[address])}"

    async def edit(self, address: str, message_id: str, content: Content) -> None:
        """An SMS cannot be changed: a change is another SMS."""
        await self.send(address, content)

    async def answer_tap(self, tap_id: str, text: str | None) -> None:
        """Nobody taps an SMS."""

    async def delete(self, address: str, message_id: str) -> None:
        """An SMS cannot be taken back."""
