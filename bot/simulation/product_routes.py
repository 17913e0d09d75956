"""The HTTP routes of the running product in a simulated world."""

from __future__ import annotations

from starlette.routing import BaseRoute

from bot.app import App
from bot.http.api.routes import api_routes
from bot.http.dashboard.routes import dashboard_routes
from bot.http.health import health_routes
from bot.http.routes import inbound_routes
from bot.settings import Settings


def product_routes(app: App, settings: Settings) -> list[BaseRoute]:
    """Called at each start of the product, so that the routes belong to the app that runs.

    The API is always among them, whatever ``API`` says: a world is there to be called.
    """
    return [
        *health_routes(app),
        *inbound_routes(app, settings),
        *dashboard_routes(app, settings),
        *api_routes(app),
    ]
