"""schemathesis calls a served world from the API's document alone, and every check holds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit.sim_process import SimProcess, sim_process

pytestmark = pytest.mark.fuzz

HERE = Path(__file__).parent
TOOL = HERE.parent.parent / ".venv-fuzz" / "bin" / "schemathesis"
SECONDS = int(os.environ.get("FUZZ_S", "120"))
RATES = {"API_READS_PER_MINUTE": "1000000", "API_MOVES_PER_MINUTE": "1000000"}


def _fuzz(world: SimProcess, seed: int) -> subprocess.CompletedProcess[str]:
    command = [
        *(str(TOOL), "--config-file", str(HERE / "schemathesis.toml"), "run"),
        f"{world.url}/openapi.json",
        *("-H", f"x-api-key: {world.keys['DUKA']}"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-time", str(SECONDS), "--continue-on-failure", "--seed", str(seed)),
        *(
            "--request-timeout",
            "40",
            "--max-response-time",
            "40",
            "--warnings",
            "off",
            "--no-color",
        ),
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", ""),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        command, cwd=HERE, env=environment, capture_output=True, text=True, check=False
    )


def test_every_check_of_schemathesis_holds() -> None:
    with sim_process(RATES) as world:
        tried = _fuzz(world, seed=1)
        books, calls = world.get("/sim/books"), world.get("/sim/calls")
    assert tried.returncode == 0, tried.stdout[-12_000:] + tried.stderr[-2_000:]
    assert books == {"ok": True, "problems": []}
    assert calls["initiate"] > 0  # requests were accepted, so there was something to be checked
