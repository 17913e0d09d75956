"""What answers to all strangers together may cost (decision 28)."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.runtime.token_bucket import TokenBucket

ANSWERS_BURST = 60  # at once
ANSWER_INTERVAL_S = 1.0  # and then: a thirtieth of what Telegram takes from a bot
OF_ALL_SENDS = 10  # where the desk sends slower than that: a tenth of it


class StrangerLimiter:
    """One for a program; a restart forgets what has been used up.

    ``sends_a_second`` is the desk's own pace, over all chats.
    """

    def __init__(
        self, sends_a_second: float = 30.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        every_s = max(ANSWER_INTERVAL_S, OF_ALL_SENDS / sends_a_second)
        self._answers = TokenBucket(ANSWERS_BURST, every_s, monotonic)

    def allow(self) -> bool:
        """Whether there is one more answer for them now; it is used up then."""
        return self._answers.take()
