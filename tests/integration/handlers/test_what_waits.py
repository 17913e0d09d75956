"""What waits for admins is counted as their lists show it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bot.context import AppContext
from bot.observe.job_state import FAILS_AGAIN, JobState
from bot.security.keyring import Keyring
from bot.turns.host import TurnHost
from flows.catalogue import all_flows
from flows.engine.event import Event, EventKind
from flows.engine.host import COUNTED_MAX
from flows.engine.screen_renderer import ScreenRenderer
from flows.engine.session import Session
from flows.engine.texts import Texts
from services.policy import NO_CODES
from tests.kit.plain_store import PlainStore

TEXTS = Texts.load()
COUNTS = ("proposals", "pending", "open_days", "stuck_jobs")


class Jobs:
    """What a turn may see of jobs: one per number of failures in a row, and the stuck ones."""

    def __init__(self, failures: Sequence[int], stuck: Sequence[str] = ()) -> None:
        self._states = {
            f"job-{n}": JobState(f"job-{n}", failures=failed, error="OSError" if failed else None)
            for n, failed in enumerate(failures)
        }
        self._stuck = stuck

    @property
    def states(self) -> Mapping[str, JobState]:
        return self._states

    def stuck(self) -> Sequence[str]:
        return self._stuck

    def ask(self, name: str) -> None:
        raise AssertionError("looking runs no job")

    def wake(self, name: str, due: datetime | None = None) -> None:
        raise AssertionError("looking runs no job")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PlainStore]:
    store = PlainStore(tmp_path / "hazina.db")
    yield store
    store.close()


def host(store: PlainStore, jobs: Jobs | None = None) -> TurnHost:
    desk = AppContext(TEXTS, random.Random(1), Keyring({"1": bytes(32)}), NO_CODES, jobs=jobs)
    event = Event("telegram", "1", "1", EventKind.TEXT)
    return TurnHost(desk, store.tx, event, None, is_admin=True)


def test_a_quiet_desk_has_nothing_that_waits(store: PlainStore) -> None:
    assert [host(store).count(name) for name in COUNTS] == [0, 0, 0, 0]


def test_a_job_waits_for_admins_once_it_fails_again_and_again(store: PlainStore) -> None:
    jobs = Jobs([0, FAILS_AGAIN - 1, FAILS_AGAIN, FAILS_AGAIN + 9])
    assert host(store, jobs).count("stuck_jobs") == 2


def test_a_stuck_job_is_counted_once_though_it_fails_too(store: PlainStore) -> None:
    jobs = Jobs([0, FAILS_AGAIN], stuck=["job-0", "job-1"])
    assert host(store, jobs).count("stuck_jobs") == 2


def test_the_list_of_jobs_says_which_one_is_stuck(store: PlainStore) -> None:
    view = host(store, Jobs([0, 0], stuck=["job-1"])).load_view("jobs", {}, None)
    first, second = str(view.facts["lines"]).splitlines()
    assert "STUCK" in second
    assert "STUCK" not in first


def test_days_that_are_over_and_did_not_close_wait_and_today_does_not(store: PlainStore) -> None:
    today = date(2026, 3, 2)
    for days_ago in range(4):
        day = today - timedelta(days=days_ago)
        store.do(
            lambda tx, day=day: tx.reconciliations.save_day(
                day, "test", has_ended=day == today - timedelta(days=3)
            )
        )
    assert host(store).count("open_days") == 2


@pytest.mark.parametrize(
    ("count", "label"),
    [(1, "Pending (1)"), (COUNTED_MAX - 1, "Pending (99)"), (COUNTED_MAX, "Pending (99+)")],
)
def test_a_button_counts_to_ninety_nine(store: PlainStore, count: int, label: str) -> None:
    for n in range(count):
        store.do(lambda tx, n=n: tx.evidence.open_review(f"NT-{n:06d}", "unknown"))
    session = Session()
    screen = ScreenRenderer(all_flows(), TEXTS).menu(session, host(store))
    assert [button.label for button in screen.rows[0]] == [label]
    assert session.menu_counts == {"pending": count}
