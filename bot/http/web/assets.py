"""Scripts and styles of pages, served from memory under addresses that change with the content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.http.web.headers import PAGE_HEADERS

VENDOR = Path(__file__).with_name("vendor")
OWN = Path(__file__).with_name("assets")
_MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_DIGITS = 12
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    url: str
    content: bytes
    media_type: str


class Assets:
    """``files`` have different names. Addresses begin with ``prefix``."""

    def __init__(self, prefix: str, files: Sequence[Path]) -> None:
        self._prefix = prefix
        self._by_name = {file.name: _read(prefix, file) for file in files}

    def url(self, name: str) -> str:
        return self._by_name[name].url

    def route(self) -> Route:
        return Route(f"{self._prefix}/{{digest}}/{{name}}", self._serve, methods=["GET"])

    async def _serve(self, request: Request) -> Response:
        asset = self._by_name.get(request.path_params["name"])
        if asset is None or asset.url != request.url.path:
            return Response(status_code=404, headers=PAGE_HEADERS)
        headers = {**PAGE_HEADERS, "cache-control": _FOREVER}
        return Response(asset.content, media_type=asset.media_type, headers=headers)


def _read(prefix: str, file: Path) -> _Asset:
    content = file.read_bytes()
    digest = sha256(content).hexdigest()[:_DIGITS]
    return _Asset(f"{prefix}/{digest}/{file.name}", content, _MEDIA_TYPES[file.suffix])
