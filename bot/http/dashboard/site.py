"""What all pages of the dashboard are made with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.responses import HTMLResponse

from bot.app import App
from bot.http.dashboard.cookies import Cookies
from bot.http.dashboard.door import ROOT
from bot.http.dashboard.wording import FILTERS
from bot.http.web.assets import OWN, VENDOR, Assets
from bot.http.web.headers import FRESH
from bot.http.web.templates import templates

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Site:
    """``app`` is the program that is looked at."""

    app: App
    cookies: Cookies
    assets: Assets
    templates: Environment

    def page(self, template: str, status: int = 200, **facts: Any) -> HTMLResponse:
        return HTMLResponse(self.words(template, **facts), status, headers=dict(FRESH))

    def words(self, template: str, **facts: Any) -> str:
        return self.templates.get_template(template).render(asset=self.assets.url, **facts)


def _chat(app: App) -> str | None:
    """Where commands are typed, once Telegram has told the bot's name. A link cannot bring the
    command along: clients put such a text only into chats with people."""
    name = app.bot_identity.bot_name
    return None if name is None else f"https://t.me/{name}"


def make_site(app: App, *, is_https: bool) -> Site:
    assets = Assets(
        f"{ROOT}/assets",
        (VENDOR / "htmx.min.js", OWN / "base.css", _HERE / "assets" / "dashboard.css"),
    )
    environment = templates(_HERE / "templates")
    environment.filters.update(FILTERS)
    environment.globals["chat"] = partial(_chat, app)
    return Site(app, Cookies(is_https), assets, environment)
