"""A request of a partner's system to the API, sent straight into the product, and its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import ASGIApp

from bot.simulation.asgi_call import Headers, asgi_call

TOO_MANY = 429
UNAVAILABLE = 503  # also what a request under way at a crash is answered with


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def members(self) -> dict[str, Any]:
        """Of its body, if that is a JSON object."""
        found = json.loads(self.body) if self.body else None
        return found if isinstance(found, dict) else {}

    @property
    def reference(self) -> str | None:
        """Of the operation that it accepted, under the names of today or the older ones."""
        members = self.members()
        found: str | None = members.get("reference") or members.get("transactionId")
        return found if self.status // 100 == 2 else None

    @property
    def lasting(self) -> tuple[int, str | None, str | None, bytes]:
        """What a replay repeats: status, content type, location and body."""
        kind, location = self.headers.get("content-type"), self.headers.get("location")
        return self.status, kind, location, self.body

    @property
    def is_replay(self) -> bool:
        return self.headers.get("idempotent-replayed") == "true"


@dataclass(frozen=True)
class Request:
    """``key`` is the idempotency key. ``creates``: an accepted one begins an operation.
    ``is_guess``: its code was never sent to anybody. ``learn`` hears the first answer."""

    partner: str
    api_key: str | None = field(repr=False)
    method: str
    path: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)  # may hold a code
    query: str = ""
    key: str | None = None
    creates: bool = False
    is_guess: bool = False
    learn: Callable[[Answer], None] | None = field(default=None, repr=False)

    @property
    def stands_for(self) -> str:
        """What is the same whenever this request is sent again, however it is spelled."""
        return f"{self.method} {self.path} {json.dumps(self.body, sort_keys=True)}"

    def with_body(self, **changes: Any) -> Request:
        return replace(self, body={**(self.body or {}), **changes}, is_guess=False)

    async def send(
        self,
        door: ASGIApp,
        spelled: Mapping[str, Any] | None = None,
        *,
        otherwise: bool = False,
    ) -> Answer:
        """``spelled``: the same body with its numbers written otherwise. ``otherwise``: the same
        headers in their other forms."""
        body = self.body if spelled is None else spelled
        content = b"" if body is None else json.dumps(body).encode()
        status, headers, answered = await asgi_call(
            door,
            self.method,
            self.path,
            self.query.encode(),
            self._headers(content, otherwise=otherwise),
            content,
        )
        return Answer(status, {name.decode(): value.decode() for name, value in headers}, answered)

    def _headers(self, content: bytes, *, otherwise: bool) -> Headers:
        headers = [(b"host", b"desk.example"), (b"content-length", b"%d" % len(content))]
        if self.api_key is not None and otherwise:
            headers.append((b"authorization", f"Bearer {self.api_key}".encode()))
        elif self.api_key is not None:
            headers.append((b"x-api-key", self.api_key.encode()))
        if self.key is not None:
            key = f'"{self.key}"' if otherwise else self.key
            headers.append((b"idempotency-key", key.encode()))
        if content:
            headers.append((b"content-type", b"application/json"))
        return headers
