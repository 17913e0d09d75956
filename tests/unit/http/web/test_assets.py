"""Scripts and styles of pages."""

from pathlib import Path

import httpx
from starlette.applications import Starlette

from bot.http.web.assets import OWN, VENDOR, Assets


def _assets() -> Assets:
    return Assets("/page/assets", [VENDOR / "htmx.min.js", OWN / "base.css"])


async def _get(assets: Assets, path: str) -> httpx.Response:
    app = Starlette(routes=[assets.route()])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get(path)


async def test_an_asset_may_be_kept_for_ever_since_its_address_names_its_content() -> None:
    assets = _assets()
    answer = await _get(assets, assets.url("base.css"))
    assert answer.status_code == 200
    assert answer.content == (OWN / "base.css").read_bytes()
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]


async def test_an_address_of_other_content_is_not_there() -> None:
    assets = _assets()
    old = assets.url("base.css").replace("/page/assets/", "/page/assets/0")
    assert (await _get(assets, old)).status_code == 404
    assert (await _get(assets, "/page/assets/x/manifest.toml")).status_code == 404


def test_a_changed_file_has_another_address(tmp_path: Path) -> None:
    file = tmp_path / "base.css"
    file.write_text("a {}")
    before = Assets("/assets", [file]).url("base.css")
    file.write_text("b {}")
    assert Assets("/assets", [file]).url("base.css") != before
