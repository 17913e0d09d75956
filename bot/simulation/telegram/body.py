"""Reads a call's parameters from wherever the Bot API accepts them."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import from_json
from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    content_type: str
    data: bytes


async def read_parameters(request: Request) -> dict[str, Any]:
    """Query string and body. PTB posts a form, or multipart if there is a file.

    Raises ``ValueError`` for a body that does not match its header. The standard library does the
    parsing, so the simulator needs no form parser.
    """
    parameters: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    content_type = request.headers.get("content-type", "")
    if not body:
        return parameters
    if content_type.startswith("application/json"):
        fields = from_json(body)
        if not isinstance(fields, dict):
            raise ValueError("not a JSON object")
        return parameters | fields
    if content_type.startswith("multipart/form-data"):
        return parameters | _multipart(content_type, body)
    return parameters | dict(
        parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict")
    )


def _multipart(content_type: str, body: bytes) -> dict[str, Any]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    form = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    fields: dict[str, Any] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(data, bytes):
            raise ValueError("a part without a name")
        filename = part.get_filename()
        fields[name] = (
            data.decode() if filename is None else Upload(filename, part.get_content_type(), data)
        )
    return fields
