"""Debian's PostgreSQL in a temporary folder, reachable through a socket in it and nowhere else."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = Path("/usr/lib/postgresql")  # Debian keeps one folder a version there
START_TIMEOUT_S = 60


class PostgresServer:
    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        # PostgreSQL refuses to run as root; its package brings a user of its own.
        self.user = "postgres" if os.geteuid() == 0 else getpass.getuser()

    def run(self, program: str, *args: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs; its exit status is not looked at."""
        return subprocess.run(
            [str(self._binaries / program), *args],
            input=typed,
            text=True,
            capture_output=True,
            check=False,
            cwd=self._folder,
            user=self.user if os.geteuid() == 0 else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGHOST": str(self._folder)},
            timeout=START_TIMEOUT_S,
        )

    def psql(self, script: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a script with psql; errors name its lines: ``psql:<stdin>:LINE: ERROR:  …``."""
        database = ("--username", self.user, "--dbname", "postgres")
        return self.run("psql", "--no-psqlrc", "--quiet", *database, *args, "-f", "-", typed=script)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Raises ``FileNotFoundError`` when PostgreSQL is not installed."""
    # The client alone has such a folder too, without initdb.
    found = [path.parent for path in BINARIES.glob("*/bin/initdb")]
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    # In /tmp, since the path of a socket may have no more than 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="hazina-pg-", dir="/tmp"))
    newest = max(found, key=lambda path: int(path.parent.name))
    server = PostgresServer(newest, folder)
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(server.user).pw_uid, -1)
    data = str(folder / "data")
    try:
        _must(server.run("initdb", "-D", data, "--no-sync", "--encoding=UTF8", "--locale=C"))
        options = f"-c listen_addresses= -c fsync=off -k {folder}"
        log = str(folder / "log")
        _must(server.run("pg_ctl", "-D", data, "-l", log, "-o", options, "--wait", "start"))
        try:
            yield server
        finally:
            _must(server.run("pg_ctl", "-D", data, "--mode=immediate", "--wait", "stop"))
    finally:
        shutil.rmtree(folder)


def _must(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
