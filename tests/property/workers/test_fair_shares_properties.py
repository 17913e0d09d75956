"""No share waits behind more than one piece of each other share, whatever the others ask for."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.workers.fair_shares import FairShares

SHARES = "ABCDE"
act = st.one_of(
    st.tuples(st.sampled_from(SHARES), st.integers(1, 20)),  # asks for this many
    st.tuples(st.just("ends"), st.integers(0, 3)),  # one of those in progress
)


@given(acts=st.lists(act, max_size=60), most=st.integers(1, 3))
def test_each_other_share_goes_before_at_most_once(acts: list[tuple[str, int]], most: int) -> None:
    rota = FairShares(most)
    waiting: list[tuple[str, str]] = []
    under_way: list[tuple[str, str]] = []
    passed: dict[str, Counter[str]] = {}  # who began while an idle share waits
    count = 0
    for what, number in acts:
        if what == "ends":
            if under_way:
                piece, _ = under_way.pop(number % len(under_way))
                rota.end(piece)
        else:
            for _ in range(number):
                count += 1
                waiting.append((str(count), what))
        for piece in rota.begin([*under_way, *waiting]):
            begun = next(one for one in waiting if one[0] == piece)
            waiting.remove(begun)
            under_way.append(begun)
            passed.pop(begun[1], None)
            for counter in passed.values():
                counter[begun[1]] += 1
        busy = [share for _, share in under_way]
        assert len(busy) == len(set(busy)) <= most
        idle = {share for _, share in waiting} - set(busy)
        assert len(busy) == most or not idle
        for share in idle:
            passed.setdefault(share, Counter())
        assert all(times <= 1 for counter in passed.values() for times in counter.values())


def test_one_share_is_served_in_the_order_in_which_it_asked() -> None:
    rota, waiting = FairShares(2), [(str(n), "A") for n in range(3)]
    served = []
    while waiting:
        (piece,) = rota.begin(waiting)
        assert rota.begin(waiting) == []
        served.append(piece)
        rota.end(piece)
        waiting = [one for one in waiting if one[0] != piece]
    assert served == ["0", "1", "2"]
