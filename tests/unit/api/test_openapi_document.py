"""The OpenAPI document says what the table of calls says, and is the one in the repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from bot.calls.answers import ProblemCode
from bot.cli.openapi import openapi as command
from bot.http.api import openapi, problems
from bot.http.api.advice import ADVICE
from bot.http.api.answer_examples import EVENT, EXAMPLES, PAID, PURCHASE, TOP_UP
from bot.http.api.documents import EventDocument, OperationDocument
from bot.http.api.route import Idempotency, Route
from bot.http.api.table import ROUTES
from flows.parsers.values import read_mobile
from services.domain.phone import Phone

PROJECT = Path(__file__).parents[3]
DOCUMENT = openapi.build(ROUTES)


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """All objects of the document."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from inside(part)


def operation_of(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return found


every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)


def test_the_file_is_what_the_command_prints() -> None:
    kept = (PROJECT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert CliRunner().invoke(command).output == kept, "run `make openapi`"


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    used = {one["$ref"] for one in inside(DOCUMENT) if isinstance(one.get("$ref"), str)}
    there = {
        f"#/components/{kind}/{name}"
        for kind, named in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in named
    }
    assert used == there


def test_every_call_is_there_once() -> None:
    names = [operation_of(route)["operationId"] for route in ROUTES]
    assert names == [route.name for route in ROUTES]
    assert len(set(names)) == len(names)


@every_route
def test_a_call_declares_every_problem_it_may_meet(route: Route) -> None:
    declared = operation_of(route)
    statuses = {str(problems.KINDS[ProblemCode(code)].status) for code in declared["x-codes"]}
    assert statuses <= declared["responses"].keys()
    assert {str(code) for code in route.problems} <= set(declared["x-codes"])
    assert {"400", "401", "403", "405", "413", "429", "500", "503"} <= statuses


@every_route
def test_a_call_declares_the_parameters_that_it_reads(route: Route) -> None:
    given = {(one["in"], one["name"]): one for one in operation_of(route).get("parameters", ())}
    in_path = {("path", name) for name in re.findall(r"\{(\w+)\}", route.path)}
    assert {key for key in given if key[0] == "path"} == in_path
    key = given.get(("header", "Idempotency-Key"))
    assert (key is not None) == (route.idempotency is not Idempotency.IGNORED)
    assert key is None or key["required"] == (route.idempotency is Idempotency.REQUIRED)


def test_the_history_is_asked_for_by_the_names_of_its_query() -> None:
    given = DOCUMENT["paths"]["/v1/transactions"]["get"]["parameters"]
    names = ["partner_id", "limit", "cursor", "kind", "status", "from", "to"]
    assert [one["name"] for one in given] == names
    assert not [one for one in inside(given) if one.get("type") == "null"]


@every_route
def test_the_example_of_a_body_is_one(route: Route) -> None:
    if route.body is None:
        assert not route.examples
    elif openapi.must_have_body(route):
        route.body.model_validate(route.examples)


@every_route
def test_an_optional_member_may_be_null_where_its_schema_says_so(route: Route) -> None:
    if route.body is None:
        return
    schema = DOCUMENT["components"]["schemas"][route.body.__name__]
    for name, member in schema["properties"].items():
        if {"type": "null"} in member.get("anyOf", ()):
            route.body.model_validate({**route.examples, name: None})


@pytest.mark.parametrize("model", EXAMPLES, ids=lambda model: model.__name__)
def test_the_example_of_an_answer_is_one(model: type[BaseModel]) -> None:
    model.model_validate_json(json.dumps(EXAMPLES[model]))


@pytest.mark.parametrize("example", [TOP_UP, PAID, PURCHASE])
def test_the_example_of_an_operation_is_one(example: dict[str, Any]) -> None:
    OperationDocument.model_validate_json(json.dumps(example))


def test_the_example_of_an_event_is_one() -> None:
    event = EventDocument.model_validate_json(json.dumps(EVENT))
    assert isinstance(event.data, OperationDocument)


def test_links_lead_to_calls_and_their_parameters() -> None:
    by_name = {route.name: operation_of(route) for route in ROUTES}
    links = [link for one in inside(DOCUMENT) for link in one.get("links", {}).values()]
    assert links
    for link in links:
        names = {parameter["name"] for parameter in by_name[link["operationId"]]["parameters"]}
        assert link["parameters"].keys() <= names


def test_older_names_are_told_apart() -> None:
    older = replace(ROUTES[0], name="older", path="/functions/v1/wallet-manager/balance")
    found = openapi.build([*ROUTES, older])["paths"][older.path]["get"]
    assert found["tags"] == ["Older names"]


def test_there_is_advice_about_every_problem() -> None:
    assert ADVICE.keys() == set(ProblemCode) == problems.KINDS.keys()


def test_the_pattern_of_phones_is_the_numbering_plan() -> None:
    body = DOCUMENT["components"]["schemas"]["TopUpRequest"]
    pattern = re.compile(body["properties"]["phone_number"]["anyOf"][0]["pattern"])
    for prefix in range(1000):
        number = f"0{prefix:03}500500"
        is_mobile = isinstance(read_mobile(number), Phone)
        assert (pattern.search(number) is not None) == is_mobile, number
