"""A public generator makes a client from docs/openapi.json, and the client works."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.kit.sim_process import sim_process

pytestmark = pytest.mark.fuzz

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
BIN = PROJECT / ".venv-fuzz" / "bin"


def test_a_generated_client_tops_up_buys_float_and_reads_the_feed(tmp_path: Path) -> None:
    package = tmp_path / "hazina_client"
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
    made = subprocess.run(
        [
            *(BIN / "openapi-python-client", "generate"),
            *("--path", PROJECT / "docs" / "openapi.json"),
            *("--output-path", package, "--meta", "none"),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Unable to process" not in made.stdout + made.stderr, made.stdout + made.stderr
    with sim_process() as world:
        script = [BIN / "python", HERE / "generated_client.py"]
        ran = subprocess.run(
            [*script, str(tmp_path), world.url, world.keys["DUKA"]],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout == "a generated client works\n"
