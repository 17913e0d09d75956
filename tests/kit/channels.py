"""What the channels of the tests can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.channels import terminal
from bot.channels.telegram.capabilities import CAPABILITIES as CHAT
from bot.outbox.carriers import CARRIER, MAIL, SMS
from flows.engine.capabilities import ChannelCapabilities

NUMBERED = replace(CHAT, buttons=False)
CHANNELS: Mapping[str, ChannelCapabilities] = {
    "telegram": CHAT,
    "terminal": terminal.CAPABILITIES,
    SMS: CARRIER,
    MAIL: CARRIER,
}
