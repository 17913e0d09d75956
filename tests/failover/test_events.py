"""What the lab concludes from its workers' logs and from the database."""

from __future__ import annotations

from pathlib import Path

from tests.failover.events import (
    Books,
    Line,
    account_of,
    applied_twice,
    errors,
    event_id,
    lines,
    longest_outage_s,
    lost,
)


def log(*times: float) -> list[Line]:
    return [Line("applied", event_id("w1", n), at, "new") for n, at in enumerate(times, start=1)]


def books(*events: str, applied: int) -> Books:
    return Books(events, {0: applied, 1: 0})


def test_lost_is_what_was_acknowledged_and_is_not_there() -> None:
    ours = [*log(1.0, 2.0), Line("begun", "w1-0000003", 3.0), Line("failed", "w1-0000003", 3.1)]
    assert lost(ours, books("w1-0000001", "w1-0000002", applied=2)) == []
    assert lost(ours, books("w1-0000002", applied=1)) == ["w1-0000001"]


def test_what_nobody_was_told_of_may_be_there_or_not() -> None:
    begun = [Line("begun", "w1-0000001", 1.0), Line("failed", "w1-0000001", 1.1)]
    assert lost(begun, books(applied=0)) == []
    assert lost(begun, books("w1-0000001", applied=1)) == []


def test_accounts_tell_what_was_applied_twice() -> None:
    assert applied_twice(books("w1-0000001", "w1-0000002", applied=2)) == 0
    assert applied_twice(books("w1-0000001", "w1-0000002", applied=3)) == 1
    assert applied_twice(books("w1-0000001", "w1-0000002", applied=1)) == -1


def test_an_outage_is_between_two_that_were_applied() -> None:
    ours = log(1.0, 2.0, 3.0, 9.0, 10.0)
    assert longest_outage_s(ours, since=3.5, until=10.5) == 6.0  # the fault began within it
    assert longest_outage_s(ours, since=9.5, until=10.5) == 1.0
    assert longest_outage_s(ours, since=9.5, until=20.0) == 10.0  # it has not ended
    assert longest_outage_s([], since=5.0, until=20.0) == 15.0
    assert longest_outage_s([Line("failed", "w1-0000001", 6.0)], since=5.0, until=20.0) == 15.0


def test_errors_are_counted_by_kind() -> None:
    ours = [
        Line("failed", "w1-0000001", 1.0, "AdminShutdown 57P01 terminating connection"),
        Line("failed", "w1-0000001", 2.0, "OperationalError None refused"),
        Line("failed", "w1-0000001", 3.0, "OperationalError None closed"),
    ]
    assert errors(ours, since=1.5) == {"OperationalError None": 2}


def test_a_log_is_read_back_without_its_unfinished_line(tmp_path: Path) -> None:
    file = tmp_path / "w1.log"
    assert list(lines(file)) == []
    file.write_text(
        Line("begun", "w1-0000001").written(1.5)
        + Line("failed", "w1-0000001", said="OperationalError None server closed").written(2.0)
        + Line("applied", "w1-0000001", said="new").written(2.25)
        + "3.000 applied w1-00"
    )
    assert list(lines(file)) == [
        Line("begun", "w1-0000001", 1.5),
        Line("failed", "w1-0000001", 2.0, "OperationalError None server closed"),
        Line("applied", "w1-0000001", 2.25, "new"),
    ]


def test_events_go_to_every_account_in_turn() -> None:
    assert [account_of(event_id("w2", number)) for number in range(1, 6)] == [1, 2, 3, 0, 1]
