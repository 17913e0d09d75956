"""``hazina sim`` as a separate process: how it ends and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.piped_sim import TOPUP


def hazina_sim(tmp_path: Path, *args: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "from bot.cli.main import main; main()", "sim", *args],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = hazina_sim(tmp_path)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    yield process
    watchdog.cancel()
    process.kill()
    process.communicate()


def test_process_plays_to_the_end_of_its_input(
    running: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    out, err = running.communicate(TOPUP.encode() + b":handset pays\n:wait 10s\n", timeout=60)
    assert running.returncode == 0
    assert "Received KES 1,500. New balance KES 6,500." in out.decode()
    assert b"\x1b" not in out
    assert err == b""
    assert not list(tmp_path.glob("hazina-sim-*"))


def test_receipt_comes_by_itself_and_termination_leaves_nothing(
    running: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(TOPUP.encode() + b":handset pays\n:wait 4s\n")
    running.stdin.flush()
    assert any(b"Received KES 1,500" in line for line in running.stdout)
    running.send_signal(signal.SIGTERM)
    running.send_signal(signal.SIGHUP)  # closing a terminal sends more than one signal
    assert running.wait(timeout=60) in (128 + signal.SIGTERM, 128 + signal.SIGHUP)
    assert not list(tmp_path.glob("hazina-sim-*"))


def test_process_refuses_beside_credentials(tmp_path: Path) -> None:
    process = hazina_sim(tmp_path, NCBA_PASSWORD="secret-9")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == b""
    assert len(err.decode().strip().split("\n")) == 1
