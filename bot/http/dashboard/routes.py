"""Mounts the dashboard in the HTTP server, where ``DASHBOARD`` is on."""

from __future__ import annotations

from starlette.routing import BaseRoute

from bot.app import App
from bot.http.dashboard import door, login
from bot.http.dashboard.board import Board
from bot.http.dashboard.desk import Desk
from bot.http.dashboard.desk_page import DeskPage
from bot.http.dashboard.door import DashboardDoor
from bot.http.dashboard.login import Login
from bot.http.dashboard.operations import OperationPages
from bot.http.dashboard.partners import PartnerPages
from bot.http.dashboard.site import make_site
from bot.http.dashboard.tiles.table import TILES
from bot.rate_limits.sliding_window import SlidingWindows
from bot.security.backup import backup_folder
from bot.settings import Settings


def dashboard_routes(app: App, settings: Settings) -> list[BaseRoute]:
    """None where it is off. To stand before the API, which answers whatever no other route has."""
    address = app.context.dashboard_url
    if address is None:
        return []
    site = make_site(app, is_https=address.startswith("https://"))
    windows = SlidingWindows({**door.LIMITS, **login.LIMITS}, app.metrics.monotonic)
    desk = _desk(app, settings)
    routes: list[BaseRoute] = [
        site.assets.route(),
        *Login(site, windows).routes(),
        *DeskPage(site, Board(site, desk, TILES)).routes(),
        *PartnerPages(site, desk).routes(),
        *OperationPages(site).routes(),
    ]
    return [DashboardDoor(address, routes, windows)]


def _desk(app: App, settings: Settings) -> Desk:
    database = settings.database_file
    if database is None:
        return Desk(app, None, "The desk makes none of a database on a server; pgbackrest can.")
    if settings.backups_kept == 0:
        return Desk(app, None, "BACKUPS_KEPT is 0.")
    return Desk(app, backup_folder(settings, database))
