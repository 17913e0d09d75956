"""Which messages of groups are answered: anybody may add the bot to one, or to a thousand."""

from __future__ import annotations

from collections.abc import Callable

from bot.runtime.token_bucket import TokenBucket

EVERY_S = 3600.0  # one answer a group
MOST, MOST_EVERY_S = 10, 6.0  # over all groups: so many at once, then ten a minute
KNOWN_MAX = 1_000  # groups, those that were answered last


class GroupLimiter:
    """``monotonic`` counts seconds that pass. A restart forgets who was answered."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._all = TokenBucket(MOST, MOST_EVERY_S, monotonic)
        self._answered: dict[int, float] = {}  # in that order

    def allow(self, chat_id: int) -> bool:
        """Whether one more answer goes to it now; it counts as given then."""
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
