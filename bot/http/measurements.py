"""What the database, the jobs and the log say of themselves when Prometheus asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.app import App
from bot.observe.log import configured
from services.domain.operation import StateBacklog
from services.ports import Tx

COUNTED_MAX = 10_000  # rows of one kind; a count stops there


class Backlog(NamedTuple):
    """What waits in the database; each is counted in bounded time."""

    operations: Sequence[StateBacklog]
    messages: int
    oldest_message_s: float
    reviews: int
    oldest_review_s: float


def backlog(tx: Tx) -> Backlog:
    messages, queued_since = tx.outbox.waiting(COUNTED_MAX)
    oldest = tx.evidence.open_reviews(None, 1)
    return Backlog(
        tx.operations.waiting(COUNTED_MAX),
        messages,
        _age_s(tx, queued_since),
        tx.evidence.count_open_reviews(COUNTED_MAX),
        _age_s(tx, oldest[0].opened_at if oldest else None),
    )


def _age_s(tx: Tx, since: datetime | None) -> float:
    return 0.0 if since is None else (tx.now - since).total_seconds()


class Measurements(Collector):
    """As they are at this moment. ``is_ready``: whether the desk can serve."""

    def __init__(self, app: App, waiting: Backlog, *, is_ready: bool) -> None:
        self._app = app
        self._waiting = waiting
        self._is_ready = is_ready

    def collect(self) -> Iterable[Metric]:
        yield _gauge("hazina_ready", "1 while the desk can serve, as /readyz says", self._is_ready)
        stuck = self._app.readiness.stuck().items()
        yield _gauges("hazina_stuck", "1 for what has not come round in time", "what", stuck)
        if self._app.database.leads:  # what is the same for all processes is told once
            yield from self._backlog()
        yield from self._database()
        yield from self._jobs()
        log = configured()
        lost = CounterMetricFamily("hazina_log_lines_lost", "Log lines that were not written")
        lost.add_metric([], 0 if log is None else log.lost)
        yield lost

    def _backlog(self) -> Iterable[Metric]:
        waiting = self._waiting
        yield _by_state(
            "hazina_operations_open",
            "Operations that are open or unknown",
            ((one, one.many) for one in waiting.operations),
        )
        yield _by_state(
            "hazina_operations_oldest_seconds",
            "Age of the oldest of them",
            ((one, one.oldest_s) for one in waiting.operations),
        )
        yield _gauge("hazina_reviews_open", "What admins must look at", waiting.reviews)
        yield _gauge(
            "hazina_reviews_oldest_seconds", "Age of the oldest of it", waiting.oldest_review_s
        )
        yield _gauge("hazina_outbox_queued", "Messages to be sent", waiting.messages)
        yield _gauge(
            "hazina_outbox_oldest_seconds", "Age of the oldest of them", waiting.oldest_message_s
        )

    def _database(self) -> Iterable[Metric]:
        database, backup_at = self._app.database, self._app.metrics.backup_at
        gauges = self._app.context.gauges
        if database.leads:
            yield _gauge("hazina_database_bytes", "Size on disk", database.size_bytes)
        yield _gauge("hazina_database_waiting", "Writes that wait for a batch", database.waiting)
        yield _gauge("hazina_processes", "Processes that serve the database", gauges.processes())
        yield _gauge("hazina_leads", "1 in the process that leads", database.leads)
        yield _gauge("hazina_led", "1 while a process leads, this or another", gauges.is_led())
        yield _gauge(
            "hazina_database_batch_seconds",
            "How long the batch that is being written has taken so far",
            database.batch_s,
        )
        if backup_at is not None:
            yield _gauge(
                "hazina_backup_timestamp_seconds",
                "When the newest backup was made; 0 if there is none",
                backup_at.timestamp(),
            )

    def _jobs(self) -> Iterable[Metric]:
        states, breaks = sorted(self._app.jobs.states.items()), self._app.metrics.audit_breaks
        runs = CounterMetricFamily("hazina_job_runs", "Runs since the start", labels=["name"])
        for name, state in states:
            runs.add_metric([name], state.runs)
        yield runs
        yield _gauges(
            "hazina_job_failures",
            "How often it has failed since it last succeeded",
            "name",
            ((name, state.failures) for name, state in states),
        )
        yield _gauges(
            "hazina_job_seconds",
            "Duration of its latest run",
            "name",
            ((name, state.took_s) for name, state in states),
        )
        if breaks is not None:
            yield _gauge(
                "hazina_audit_breaks",
                "Breaks in the audit log's chains, found by the latest check since the start",
                breaks,
            )


def _gauge(name: str, what: str, value: float) -> Metric:
    family = GaugeMetricFamily(name, what)
    family.add_metric([], value)
    return family


def _gauges(name: str, what: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=[label])
    for of, value in values:
        family.add_metric([of], value)
    return family


def _by_state(name: str, what: str, values: Iterable[tuple[StateBacklog, float]]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=["kind", "state"])
    for of, value in values:
        family.add_metric([of.kind, of.state], value)
    return family
