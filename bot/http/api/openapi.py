"""The OpenAPI 3.1 document, made from the table of calls alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from bot.calls.answers import ProblemCode as P
from bot.http.api import documents, problems
from bot.http.api.answer_examples import EVENT, FILE, example_of
from bot.http.api.openapi_parts import (
    API_VERSION,
    DESCRIPTION,
    HEADERS,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    SECURITY_SCHEMES,
    WEBHOOK_HEADERS,
    path_parameter,
    problem_response,
    tag_of,
)
from bot.http.api.response import JSON
from bot.http.api.route import CSV, Idempotency, Route
from bot.http.api.schemas import component, components, parameter_schema, query_schema, reference_to

Json = dict[str, Any]

_ANY_CALL = frozenset(
    {
        P.INVALID_REQUEST,
        P.UNAUTHENTICATED,
        P.FORBIDDEN_SCOPE,
        P.FORBIDDEN_PARTNER,
        P.METHOD_NOT_ALLOWED,
        P.TOO_LARGE,
        P.RATE_LIMITED,
        P.INTERNAL,
        P.UNAVAILABLE,
    }
)
_HONOURED = frozenset({P.IDEMPOTENCY_KEY_INVALID, P.IDEMPOTENCY_MISMATCH})
# Where an answer leads: the call, its parameter, and where in the answer its value stands.
_LINKS: Mapping[type[BaseModel], Sequence[tuple[str, str, str]]] = {
    documents.OperationDocument: (("get_operation", "reference", "/reference"),),
    documents.PayoutDocument: (
        ("get_operation", "reference", "/reference"),
        ("get_payout", "reference", "/reference"),
    ),
    documents.PayoutBatchDocument: (
        ("get_operation", "reference", "/reference"),
        ("get_payout_batch", "batch", "/reference"),
        ("list_payout_batch_rows", "batch", "/reference"),
        ("stop_payout_batch", "batch", "/reference"),
    ),
    documents.CodeDocument: (
        ("get_operation", "reference", "/reference"),
        ("get_code_status", "reference", "/reference"),
    ),
    documents.CreatedEndpointDocument: (
        ("delete_webhook_endpoint", "endpoint", "/id"),
        ("test_webhook_endpoint", "endpoint", "/id"),
    ),
}
_LOCATED = (
    documents.OperationDocument,
    documents.PayoutDocument,
    documents.PayoutBatchDocument,
)


def build(routes: Sequence[Route]) -> Json:
    paths: dict[str, Json] = {}
    for route in routes:
        operation = _operation(route, {other.name for other in routes})
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    answers = {
        (component(route.problem), problems.KINDS[code].status)
        for route in routes
        for code in problem_codes(route)
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hazina", "version": API_VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in SECURITY_SCHEMES],
        "tags": [{"name": tag} for tag in dict.fromkeys(tag_of(route.path) for route in routes)],
        "paths": paths,
        "webhooks": {"event": {"post": _webhook()}},
        "components": {
            "headers": HEADERS,
            "responses": {
                f"{name}{status}": problem_response(name, status)
                for name, status in sorted(answers)
            },
            "schemas": components(_models(routes)),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def to_text(document: Json) -> str:
    """As it is served, and as it stands in the repository."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def problem_codes(route: Route) -> frozenset[P]:
    """All problems that a call may be answered with."""
    found = _ANY_CALL | route.problems
    if not route.reads:
        found |= {P.UNSUPPORTED_MEDIA_TYPE}
    if "{" in route.path:
        found |= {P.NOT_FOUND}
    if route.idempotency is not Idempotency.IGNORED:
        found |= _HONOURED
    if route.idempotency is Idempotency.REQUIRED:
        found |= {P.IDEMPOTENCY_KEY_MISSING}
    return found


def must_have_body(route: Route) -> bool:
    schema = {} if route.body is None else query_schema(route.body)
    return any(word in schema for word in ("required", "allOf"))


def _models(routes: Sequence[Route]) -> list[type[BaseModel]]:
    found = [
        model
        for route in routes
        for model in (route.body, route.answer, route.problem)
        if model is not None
    ]
    return [*found, documents.EventDocument]


def _operation(route: Route, names: set[str]) -> Json:
    made: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [tag_of(route.path)],
    }
    if route.describes:
        made["description"] = route.describes
    if route.successor is not None:
        made["deprecated"] = True
    if parameters := _parameters(route):
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = _request_body(route, route.body)
    made["responses"] = _responses(route, names)
    made["x-codes"] = sorted(problem_codes(route))
    made["x-scopes"] = sorted(scope.upper() for scope in route.scopes)
    return made


def _parameters(route: Route) -> list[Json]:
    made = [path_parameter(name) for name in re.findall(r"\{(\w+)\}", route.path)]
    made += query_parameters(route.query)
    if route.idempotency is not Idempotency.IGNORED:
        required = route.idempotency is Idempotency.REQUIRED
        made.append({**IDEMPOTENCY_KEY, "required": required})
    if route.tagged:
        made.append(IF_NONE_MATCH)
    return made


def query_parameters(model: type[BaseModel]) -> list[Json]:
    schema = query_schema(model)
    defs = schema.get("$defs", {})
    made = []
    for name, field in model.model_fields.items():
        alias = field.alias or name
        member = parameter_schema(field, schema["properties"][alias])
        if "$ref" in member:  # a word of few: said here, since no body has it
            member = {**defs[_class_of(member, defs)]}
            del member["title"]
        parameter: Json = {"name": alias, "in": "query", "required": field.is_required()}
        if text := field.description or member.pop("description", None):
            parameter["description"] = text
        made.append({**parameter, "schema": member})
    return made


def _class_of(member: Json, defs: Json) -> str:
    name = member["$ref"].rpartition("/")[2]
    return next(key for key in defs if key in (name, f"Public{name}", f"{name}Document"))


def _request_body(route: Route, body: type[BaseModel]) -> Json:
    content: Json = {"schema": reference_to(body)}
    if route.examples:
        content["examples"] = {"example": {"value": dict(route.examples)}}
    made: Json = {JSON: content}
    if route.csv:
        made[CSV] = {"schema": {"type": "string"}, "examples": {"example": {"value": FILE}}}
    return {"required": must_have_body(route), "content": made}


def _responses(route: Route, names: set[str]) -> Json:
    made: Json = {str(route.status): _answer(route, names)}
    if route.tagged:
        headers = _headers("x-request-id", "RateLimit", "RateLimit-Policy", "ETag")
        made["304"] = {"description": "Nothing has changed.", "headers": headers}
    by_status: dict[int, list[str]] = {}
    for code in sorted(problem_codes(route)):
        by_status.setdefault(problems.KINDS[code].status, []).append(f"`{code}`")
    for status in sorted(by_status):
        made[str(status)] = {
            "$ref": f"#/components/responses/{component(route.problem)}{status}",
            "description": ", ".join(by_status[status]),
        }
    return made


def _answer(route: Route, names: set[str]) -> Json:
    headers = ["x-request-id", "RateLimit", "RateLimit-Policy"]
    if route.tagged:
        headers.append("ETag")
    if route.status == 202 and route.answer in _LOCATED:
        headers.append("Location")
    if route.idempotency is not Idempotency.IGNORED:
        headers.append("Idempotent-Replayed")
    words = {201: "Created", 202: "Accepted: not done yet", 204: "Done"}
    made: Json = {
        "description": words.get(route.status, "OK"),
        "headers": _headers(*headers),
    }
    if route.media_type != JSON:
        made["content"] = {route.media_type: {"schema": {"type": "string"}}}
    if route.answer is None:
        return made
    content: Json = {"schema": reference_to(route.answer)}
    example = example_of(route.answer, tag_of(route.path).lower())
    if example is not None:
        content["examples"] = {"example": {"value": example}}
    made["content"] = {JSON: content}
    if route.status in (201, 202):
        links = {
            name: {"operationId": name, "parameters": {parameter: f"$response.body#{place}"}}
            for name, parameter, place in _LINKS.get(route.answer, ())
            if name in names
        }
        if links:
            made["links"] = links
    return made


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _webhook() -> Json:
    return {
        "operationId": "receive_event",
        "summary": "What we send to your endpoint",
        "description": "Signed as Standard Webhooks has it. Answer with any 2xx once it is stored.",
        "security": [],
        "parameters": WEBHOOK_HEADERS,
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": reference_to(documents.EventDocument),
                    "examples": {"example": {"value": EVENT}},
                }
            },
        },
        "responses": {"2XX": {"description": "Taken."}},
    }
