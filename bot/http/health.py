"""Liveness, readiness and Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.app import App
from bot.observe.log import configured
from services.domain.database import DatabaseFailed
from services.domain.operation import StateBacklog
from services.ports import Tx

COUNTED_MAX = 10_000  # rows of one kind; a count stops there
ANSWER_S = 2.0  # real seconds within which the database must answer


def health_routes(app: App) -> list[BaseRoute]:
    """``/healthz`` answers while the event loop runs, ``/readyz`` while the desk can serve (else
    503 with the reasons), ``/metrics`` for Prometheus (503 while the database does not answer).

    None of them reveals personal data.
    """

    async def lives(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(request: Request) -> Response:
        why = await app.readiness.faults(ANSWER_S)
        oldest = round(app.readiness.oldest_message_s, 1)
        body = {"ready": not why, "why": why, "oldest_message_s": oldest}
        return JSONResponse(body, status_code=503 if why else 200)

    async def metrics(request: Request) -> Response:
        counted = CollectorRegistry()
        try:
            counted.register(_Counted(app, await app.database.read(_count)))
        except DatabaseFailed as error:
            return PlainTextResponse(f"{type(error).__name__}\n", status_code=503)
        body = generate_latest(app.metrics.registry) + generate_latest(counted)
        return Response(body, media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", lives, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


def _count(tx: Tx) -> tuple[list[StateBacklog], tuple[int, float], int]:
    queued, since = tx.outbox.waiting(COUNTED_MAX)
    age = 0.0 if since is None else (tx.now - since).total_seconds()
    reviews = tx.evidence.count_open_reviews(COUNTED_MAX)
    return tx.operations.waiting(COUNTED_MAX), (queued, age), reviews


class _Counted(Collector):
    """What the database, the jobs and the log say of themselves at this moment."""

    def __init__(self, app: App, counts: tuple[list[StateBacklog], tuple[int, float], int]) -> None:
        self._app = app
        self._waiting, (self._queued, self._queued_s), self._reviews = counts

    def collect(self) -> Iterable[Metric]:
        yield _gauge("hazina_database_waiting", "Functions that wait", self._app.database.waiting)
        yield _gauge("hazina_database_bytes", "On disk", self._app.database.size_bytes)
        yield _gauge("hazina_outbox_queued", "Messages to be sent", self._queued)
        yield _gauge("hazina_outbox_oldest_seconds", "Age of the oldest", self._queued_s)
        yield _gauge("hazina_reviews_open", "What admins must look at", self._reviews)
        operations = GaugeMetricFamily(
            "hazina_operations_open", "Open or unknown", labels=["state"]
        )
        oldest = GaugeMetricFamily(
            "hazina_operations_oldest_seconds", "Age of the oldest", labels=["state"]
        )
        for waiting in self._waiting:
            operations.add_metric([waiting.state], waiting.many)
            oldest.add_metric([waiting.state], waiting.oldest_s)
        yield operations
        yield oldest
        stuck = GaugeMetricFamily("hazina_stuck", "Has not come round in time", labels=["what"])
        for what, is_stuck in self._app.readiness.stuck().items():
            stuck.add_metric([what], is_stuck)
        yield stuck
        log = configured()
        lost = CounterMetricFamily("hazina_log_lines_lost", "That could not be written")
        lost.add_metric([], 0 if log is None else log.lost)
        yield lost
        yield from self._jobs()

    def _jobs(self) -> Iterable[Metric]:
        runs = CounterMetricFamily("hazina_job_runs", "Since the start", labels=["job"])
        failures = GaugeMetricFamily("hazina_job_failures", "In a row", labels=["job"])
        seconds = GaugeMetricFamily("hazina_job_seconds", "Of the latest run", labels=["job"])
        for name, state in sorted(self._app.jobs.states.items()):
            runs.add_metric([name], state.runs)
            failures.add_metric([name], state.failures)
            seconds.add_metric([name], state.took_s)
        yield runs
        yield failures
        yield seconds


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what)
    family.add_metric([], value)
    return family
