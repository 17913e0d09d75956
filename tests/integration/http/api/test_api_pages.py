"""What describes the API is there for everybody, and loads nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.calls.answers import ProblemCode
from tests.kit.served_api import ServedApi

PROJECT = Path(__file__).parents[4]
PAGES = ("/openapi.json", "/docs", "/problems/frozen")


async def test_the_document_is_served_as_it_stands_in_the_repository(api: ServedApi) -> None:
    answer = await api.stranger.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == (PROJECT / "docs" / "openapi.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES)
async def test_head_goes_where_get_goes(api: ServedApi, path: str) -> None:
    answer = await api.stranger.get(path)
    head = await api.stranger.head(path)
    assert (head.status_code, head.content) == (answer.status_code, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused_in_the_apis_words(
    api: ServedApi, path: str, method: str
) -> None:
    answer = await api.stranger.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


async def test_the_page_may_load_nothing_and_names_no_other_place(api: ServedApi) -> None:
    answer = await api.stranger.get("/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    assert not re.search(r"<script|<link|<img|src=|url\(|@import", answer.text)
    leads = set(re.findall(r'href="([^"]*)"', answer.text))
    assert {lead for lead in leads if not lead.startswith("#")} == {"/openapi.json"}


async def test_links_within_the_page_lead_somewhere(api: ServedApi) -> None:
    text = (await api.stranger.get("/docs")).text
    assert set(re.findall(r'href="#([^"]*)"', text)) <= set(re.findall(r'id="([^"]*)"', text))


async def test_the_type_of_every_problem_leads_to_its_words(api: ServedApi) -> None:
    text = (await api.stranger.get("/docs")).text
    for code in ProblemCode:
        answer = await api.stranger.get(f"/problems/{code}")
        assert answer.headers["location"] == f"/docs#{code}"
        assert f'id="{code}"' in text


async def test_a_problem_that_nobody_has_is_not_found(api: ServedApi) -> None:
    answer = await api.stranger.get("/problems/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
