"""``hazina sim --serve`` as a process that a test may kill, and start again at the same address."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PROJECT = Path(__file__).parents[2]
HAZINA = PROJECT / ".venv" / "bin" / "hazina"
END_MAX_S = 15.0
CALL_MAX_S = 60.0


class WorldProcess:
    """``url`` and ``keys`` are those of the world that was started last."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.url = ""
        self._settings = [f"--set={name}={value}" for name, value in settings.items()]
        self.keys: Mapping[str, str] = {}
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """On the port that it had before, else on a free one."""
        with (self._folder / "world.log").open("ab") as log:
            self._process = subprocess.Popen(
                [HAZINA, "sim", "--serve", str(urlsplit(self.url).port or 0), *self._settings],
                cwd=self._folder,
                env={"PATH": os.environ["PATH"], "TMPDIR": str(self._folder)},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        with self._process.stdout as words:
            line = words.readline()
        if not line:
            raise AssertionError((self._folder / "world.log").read_text())
        begun = json.loads(line)
        self.url, self.keys = begun["url"], begun["keys"]

    def kill(self) -> None:
        """As ``kill -9`` does: it has no time to say goodbye."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(END_MAX_S)
        finally:
            self._process.kill()

    def get(self, path: str) -> Any:
        return self._call(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        return self._call(
            urllib.request.Request(
                self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
            )
        )

    def advance(self, seconds: float) -> None:
        self.post("/sim/advance", {"seconds": seconds})

    def clock(self) -> datetime:
        return datetime.fromisoformat(self.get("/sim/world")["clock"])

    def books_hold(self) -> bool:
        return bool(self.get("/sim/books")["ok"])

    def _call(self, request: urllib.request.Request) -> Any:
        # Without the machine's proxies.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=CALL_MAX_S) as answer:
            return json.load(answer)


@contextmanager
def running_world(folder: Path, **settings: str) -> Iterator[WorldProcess]:
    """``folder`` is used by it alone."""
    world = WorldProcess(folder, settings)
    world.start()
    try:
        yield world
    finally:
        world.end()


def talk(script: Path) -> subprocess.CompletedProcess[str]:
    """Play a conversation script away from the checkout."""
    return subprocess.run(
        [HAZINA, "talk", script],
        cwd=script.parent,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=CALL_MAX_S,
        check=False,
    )
