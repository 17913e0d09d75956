"""The dashboard's two cookies: of the session, and of the browser that opened the link.

Neither can be read by a script or is sent along with what another site asks for. Over https their
names forbid that another host sets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from services.domain.dashboard_session import LINK_LIFE, SESSION_LIFE

_Name = Literal["session", "browser"]
_LIVES: dict[_Name, timedelta] = {"session": SESSION_LIFE, "browser": LINK_LIFE}


@dataclass(frozen=True, slots=True)
class Cookies:
    """``is_https`` is whether browsers reach the dashboard by https."""

    is_https: bool

    def get(self, request: Request, name: _Name) -> str | None:
        return request.cookies.get(self._full(name))

    def put(self, response: Response, name: _Name, value: str) -> None:
        response.set_cookie(
            self._full(name),
            value,
            max_age=_LIVES[name] // timedelta(seconds=1),
            secure=self.is_https,
            httponly=True,
            samesite="strict",
        )

    def drop(self, response: Response, name: _Name) -> None:
        response.delete_cookie(
            self._full(name), secure=self.is_https, httponly=True, samesite="strict"
        )

    def _full(self, name: _Name) -> str:
        return f"{'__Host-' if self.is_https else ''}hazina-{name}"
