"""The guide to the HTTP API is accurate: its problems, its paths, and the code in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from bot.calls.answers import ProblemCode
from bot.http.api import problems
from bot.http.api.advice import ADVICE
from bot.http.api.answer_examples import EVENT
from bot.http.api.table import ROUTES

GUIDE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps(EVENT, ensure_ascii=False).encode()
NODE = shutil.which("node")


def code(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def headers(moment: datetime) -> dict[str, str]:
    """As another library signs."""
    signature = Webhook(SECRET).sign(EVENT["id"], moment, BODY.decode())
    return {
        "webhook-id": EVENT["id"],
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }


def is_genuine_in_python(secret: str, given: Mapping[str, str], body: bytes) -> bool:
    made: dict[str, Any] = {}
    exec(code("python"), made)
    answer: bool = made["is_genuine"](secret, given, body)
    return answer


def is_genuine_in_node(secret: str, given: Mapping[str, str], body: bytes) -> bool:
    assert NODE is not None
    call = (
        f"isGenuine({json.dumps(secret)}, {json.dumps(given)}, Buffer.from('{body.hex()}', 'hex'))"
    )
    run = subprocess.run(
        [NODE, "-e", f"{code('js')}\nconsole.log({call})"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return run.stdout == "true\n"


@pytest.mark.parametrize(
    "is_genuine",
    [
        is_genuine_in_python,
        pytest.param(
            is_genuine_in_node, marks=pytest.mark.skipif(NODE is None, reason="needs node")
        ),
    ],
)
def test_the_verifier_takes_what_is_genuine_and_nothing_else(
    is_genuine: Callable[[str, Mapping[str, str], bytes], bool],
) -> None:
    now = datetime.now(UTC)
    good = headers(now)
    signature = good["webhook-signature"]
    assert is_genuine(SECRET, good, BODY)
    assert is_genuine(SECRET, {**good, "webhook-signature": f"v1,b2xk {signature}"}, BODY)
    assert not is_genuine(SECRET, good, BODY.replace(b"1500", b"9500"))
    assert not is_genuine(SECRET, {**good, "webhook-id": "ev_DUKA_43"}, BODY)
    assert not is_genuine(SECRET, {**good, "webhook-signature": "v1,"}, BODY)
    assert not is_genuine(SECRET, {**good, "webhook-timestamp": "soon"}, BODY)
    assert not is_genuine("whsec_" + "A" * 32, good, BODY)
    assert not is_genuine(SECRET, headers(datetime.fromtimestamp(now.timestamp() - 600, UTC)), BODY)
    assert not is_genuine(SECRET, {}, BODY)


def test_the_guide_has_every_problem_with_what_to_do() -> None:
    told = re.findall(r"^\| ([0-9]{3}) \| `(\w+)` \| (.+) \|$", GUIDE, re.MULTILINE)
    expected = {(str(problems.KINDS[one].status), one.value, ADVICE[one]) for one in ProblemCode}
    assert set(told) == expected


def test_a_path_in_the_guide_is_one_of_the_table() -> None:
    for path in re.findall(r"\$HAZINA(/v1/[^\s\"?]+)", GUIDE):
        assert any(route.pattern.fullmatch(path) for route in ROUTES), path
