"""Whose turn it is: one piece of work at a time for each share, and the shares in turn.

So nobody waits behind more than one piece of each other share, and those under way, however much
the others have asked for.
"""

from __future__ import annotations

from collections.abc import Iterable


class FairShares:
    """``most`` pieces are under way at once. A restart forgets who had the last turn."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: dict[str, str] = {}  # share by piece
        self._served: dict[str, None] = {}  # shares, whoever was served last at the end

    def begin(self, waiting: Iterable[tuple[str, str]]) -> list[str]:
        """What to begin now, of pieces with their shares in the order in which they were asked
        for; what is under way may be among them."""
        first: dict[str, str] = {}
        for piece, share in waiting:
            if piece not in self._under_way:
                first.setdefault(share, piece)
        for share in self._under_way.values():
            first.pop(share, None)
        turns = {share: turn for turn, share in enumerate(self._served)}
        longest_ago = sorted(first, key=lambda share: turns.get(share, -1))
        begun = longest_ago[: self._most - len(self._under_way)]
        for share in begun:
            self._under_way[first[share]] = share
            self._served.pop(share, None)
            self._served[share] = None
        return [first[share] for share in begun]

    def end(self, piece: str) -> None:
        self._under_way.pop(piece, None)
