"""What Telegram can do, for everything that does not need its client."""

from __future__ import annotations

from bot.channels.telegram.render import TEXT_LIMIT
from flows.engine.capabilities import ChannelCapabilities

CAPABILITIES = ChannelCapabilities(
    buttons=True,
    edits=True,
    deletes=True,
    contacts=True,
    files=True,
    push=True,
    waiting=True,
    command_menu=True,
    carrier=False,
    page_length=TEXT_LIMIT,
)
