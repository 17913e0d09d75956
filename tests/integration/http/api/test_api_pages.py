"""What describes the API is there for everybody, and loads nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.calls.answers import ProblemCode
from tests.kit.api_caller import ApiCaller

PROJECT = Path(__file__).parents[4]
PAGES = ("/openapi.json", "/docs", "/problems/frozen")


async def test_the_document_is_served_as_it_stands_in_the_repository(caller: ApiCaller) -> None:
    answer = await caller.send("GET", "/openapi.json", partner=None)
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == (PROJECT / "docs" / "openapi.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES)
async def test_head_goes_where_get_goes(caller: ApiCaller, path: str) -> None:
    answer = await caller.send("GET", path, partner=None)
    head = await caller.send("HEAD", path, partner=None)
    assert (head.status_code, head.content) == (answer.status_code, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused_in_the_apis_words(
    caller: ApiCaller, path: str, method: str
) -> None:
    answer = await caller.send(method, path, partner=None)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


async def test_the_page_may_load_nothing_and_names_no_other_place(caller: ApiCaller) -> None:
    answer = await caller.send("GET", "/docs", partner=None)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    assert not re.search(r"<script|<link|<img|src=|url\(|@import", answer.text)
    leads = set(re.findall(r'href="([^"]*)"', answer.text))
    assert {lead for lead in leads if not lead.startswith("#")} == {"/openapi.json"}


async def test_links_within_the_page_lead_somewhere(caller: ApiCaller) -> None:
    text = (await caller.send("GET", "/docs", partner=None)).text
    assert set(re.findall(r'href="#([^"]*)"', text)) <= set(re.findall(r'id="([^"]*)"', text))


async def test_the_type_of_every_problem_leads_to_its_words(caller: ApiCaller) -> None:
    text = (await caller.send("GET", "/docs", partner=None)).text
    for code in ProblemCode:
        answer = await caller.send("GET", f"/problems/{code}", partner=None)
        assert answer.headers["location"] == f"/docs#{code}"
        assert f'id="{code}"' in text


async def test_a_problem_that_nobody_has_is_not_found(caller: ApiCaller) -> None:
    answer = await caller.send("GET", "/problems/nothing", partner=None)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
