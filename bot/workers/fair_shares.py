"""Fair scheduling: each share has at most one piece of work under way, and shares take turns.

So a share waits for at most one piece of every other share, plus those under way, however much the
others have requested.
"""

from __future__ import annotations

from collections.abc import Iterable


class FairShares:
    """At most ``most`` pieces are under way at once. A restart forgets whose turn was last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: dict[str, str] = {}  # share by piece
        self._served: dict[str, None] = {}  # shares, the most recently served last

    def begin(self, waiting: Iterable[tuple[str, str]]) -> list[str]:
        """The pieces to begin now. ``waiting`` are pieces with their shares, in order of request,
        and may include those under way."""
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
