"""Liveness, readiness and Prometheus metrics."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.app import App
from bot.http.measurements import Measurements, backlog
from services.domain.database import DatabaseFailed

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
        try:
            waiting = await app.database.read(backlog)
        except DatabaseFailed as error:
            return PlainTextResponse(f"{type(error).__name__}\n", status_code=503)
        is_ready = not await app.readiness.faults(ANSWER_S)
        measured = CollectorRegistry()
        measured.register(Measurements(app, waiting, is_ready=is_ready))
        body = generate_latest(app.metrics.registry) + generate_latest(measured)
        return Response(body, media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", lives, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]
