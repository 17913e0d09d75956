"""Translates Telegram's errors into the outbox's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
from telegram import error as ptb

from bot.outbox.channel import (
    Blocked,
    ChannelError,
    MessageGone,
    RetryAfter,
    Unclear,
    Undeliverable,
)

NOT_SENT_PAUSE_S = 5.0
BAD_TOKEN_PAUSE_S = 60.0

# In a private chat, each of these means that no message can arrive.
_UNREACHABLE = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "user_is_blocked",
    "you_blocked_user",
    "input_user_deactivated",
    "user is deactivated",
    "chat_restricted",
    "chat_write_forbidden",
    "have no rights to send",
    "not enough rights to send",
    "need administrator rights",
    "bot was blocked",
    "bot was kicked",
    "bot is not a member",
    "group chat was",
)
_NOT_EDITABLE = (
    "no text in the message to edit",
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
)
# httpx errors after which nothing can have been sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@contextmanager
def as_channel_errors(*normal: str) -> Iterator[None]:
    """Turn PTB's errors into ours; a bad request whose message has one of ``normal`` succeeds."""
    try:
        yield
    except ptb.BadRequest as error:
        if not _says(error, normal):
            raise channel_error(error) from error
    except ptb.TelegramError as error:
        raise channel_error(error) from error


def channel_error(error: ptb.TelegramError) -> ChannelError:
    """PTB's BadRequest and TimedOut are NetworkErrors too (facts: channels, Telegram)."""
    match error:
        case ptb.RetryAfter():
            return RetryAfter(seconds(error.retry_after))
        case ptb.Forbidden():
            return Blocked(error.message)
        case ptb.BadRequest() if _says(error, _UNREACHABLE):
            return Blocked(error.message)
        case ptb.BadRequest() if _says(error, _NOT_EDITABLE):
            return MessageGone(error.message)
        case ptb.BadRequest() | ptb.ChatMigrated():
            return Undeliverable(error.message)
        case ptb.InvalidToken():
            # The operator must correct the token; until then the message has to be kept.
            return RetryAfter(BAD_TOKEN_PAUSE_S)
        case ptb.NetworkError() if isinstance(error.__cause__, _NOT_SENT):
            return RetryAfter(NOT_SENT_PAUSE_S)
        case _:
            return Unclear(error.message)


def seconds(period: int | float | timedelta) -> float:
    """PTB 22 gives a number or, depending on an environment variable, a timedelta."""
    return period.total_seconds() if isinstance(period, timedelta) else float(period)


def _says(error: ptb.BadRequest, phrases: tuple[str, ...]) -> bool:
    # PTB changes the case of Telegram's message.
    message = error.message.lower()
    return any(phrase in message for phrase in phrases)
