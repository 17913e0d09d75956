"""Tracks which updates are in progress and how far Telegram may be told they are done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Acknowledgements:
    """Telegram takes one offset that acknowledges everything below it, so the slowest update
    holds it back."""

    def __init__(self) -> None:
        self._undecided: set[int] = set()
        self._decided: set[int] = set()
        self.all_decided = asyncio.Event()
        self.all_decided.set()

    def begin(self, update_id: int) -> bool:
        """``False`` if the update is in progress, or decided but not yet acknowledged."""
        if update_id in self._undecided or update_id in self._decided:
            return False
        self._undecided.add(update_id)
        self.all_decided.clear()
        return True

    def decide(self, update_id: int) -> None:
        self._decided.add(update_id)
        self.give_back((update_id,))

    def give_back(self, update_ids: Iterable[int]) -> None:
        """Stop work on these; those not decided will be delivered again."""
        self._undecided.difference_update(update_ids)
        if not self._undecided:
            self.all_decided.set()

    def offset(self) -> int | None:
        """One above the highest decided update that has no undecided one below it, if any."""
        lowest = min(self._undecided, default=None)
        below = (n for n in self._decided if lowest is None or n < lowest)
        highest = max(below, default=None)
        return None if highest is None else highest + 1

    def forget(self, offset: int | None) -> None:
        """Telegram has accepted this offset and will not send updates below it again."""
        if offset is not None:
            self._decided = {n for n in self._decided if n >= offset}
