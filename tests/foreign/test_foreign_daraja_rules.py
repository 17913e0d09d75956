"""Our requests to Daraja, by the rules of a package of other people's making."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.gateways.daraja.request_wire import balance_body, payment_body, status_body
from tests.kit.daraja_gateway import ORDER, credentials

pytestmark = pytest.mark.foreign

PYTHON = Path(__file__).parent.parent.parent / ".venv-foreign" / "bin" / "python"
PATIENCE_S = 60.0  # a process on a busy machine needs time to start
RULES = """
import json, sys
from mpesa_mcp.validation import validate
print(json.dumps(validate(sys.argv[1], json.loads(sys.argv[2]))))
"""


async def broken_rules(api: str, body: Mapping[str, object]) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        "-c",
        RULES,
        api,
        json.dumps(body),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0
    found: list[str] = json.loads(output)
    return found


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("b2c", payment_body(ORDER, credentials())),
        ("status", status_body(ORDER.originator_id, credentials())),
        ("balance", balance_body(credentials())),
    ],
)
async def test_our_requests_break_no_rule(api: str, body: Mapping[str, object]) -> None:
    assert await broken_rules(api, body) == []


async def test_the_rules_are_looked_at() -> None:
    body = payment_body(ORDER, credentials()) | {"CommandID": "Pay", "Occasion": "x"}
    assert len(await broken_rules("b2c", body)) == 2
