"""Rate limit for answers in groups, since anybody can add the bot to any number of them."""

from __future__ import annotations

from collections.abc import Callable

from bot.rate_limits.token_bucket import TokenBucket

EVERY_S = 3600.0  # seconds between two answers in one group
MOST, MOST_EVERY_S = 10, 6.0  # over all groups: a burst of ten, then one every six seconds
KNOWN_MAX = 1_000  # most recently answered groups


class GroupLimiter:
    """``monotonic`` returns seconds. State is lost on restart."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._all = TokenBucket(MOST, MOST_EVERY_S, monotonic)
        self._answered: dict[int, float] = {}  # oldest answer first

    def allow(self, chat_id: int) -> bool:
        """Whether the group may be answered now; ``True`` counts as an answer."""
        now = self._monotonic()
        answered = self._answered.get(chat_id)
        if answered is not None and now < answered + EVERY_S:
            return False
        if not self._all.take():
            return False
        self._answered.pop(chat_id, None)
        self._answered[chat_id] = now
        if len(self._answered) > KNOWN_MAX:
            del self._answered[next(iter(self._answered))]
        return True
