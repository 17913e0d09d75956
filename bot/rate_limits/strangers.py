"""Rate limit on answers to strangers, all of them together (decision 28)."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.rate_limits.token_bucket import TokenBucket

ANSWERS_BURST = 60  # answers at once
ANSWER_INTERVAL_S = 1.0  # then one per interval: a thirtieth of Telegram's limit for a bot
OF_ALL_SENDS = 10  # with a lower sending rate of our own: a tenth of that


class StrangerLimiter:
    """One per program; a restart resets it.

    ``sends_a_second`` is our own sending rate, over all chats.
    """

    def __init__(
        self, sends_a_second: float = 30.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        every_s = max(ANSWER_INTERVAL_S, OF_ALL_SENDS / sends_a_second)
        self._answers = TokenBucket(ANSWERS_BURST, every_s, monotonic)

    def allow(self) -> bool:
        """Whether one more answer is allowed now; if so, it is used up."""
        return self._answers.take()
