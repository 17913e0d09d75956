"""``hazina sim --serve`` as a separate process, for clients that are not ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

END_MAX_S = 15.0


@dataclass(frozen=True, slots=True)
class SimProcess:
    url: str
    keys: Mapping[str, str] = field(repr=False)

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=30).json()


@contextmanager
def sim_process(settings: Mapping[str, str] | None = None) -> Iterator[SimProcess]:
    """A world of its own, on a free port."""
    arguments = [f"--set={name}={value}" for name, value in (settings or {}).items()]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("hazina"), "sim", "--serve", "0", *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=words,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                words.seek(0)
                raise AssertionError(words.read().decode(errors="replace"))
            begun = json.loads(line)
            yield SimProcess(begun["url"], begun["keys"])
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(END_MAX_S)
            finally:
                process.kill()
                if process.stdout is not None:
                    process.stdout.close()
