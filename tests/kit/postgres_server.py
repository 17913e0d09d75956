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
        self.folder = folder
        self.dsn = f"postgresql://{_user()}@/postgres?host={folder}"
        # PostgreSQL refuses to run as root; its package brings a user of its own.
        self.user = _user()

    def run(self, program: str, *args: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs; its exit status is not looked at."""
        return subprocess.run(
            [str(self._binaries / program), *args],
            input=typed,
            text=True,
            capture_output=True,
            check=False,
            cwd=self.folder,
            user=self.user if os.geteuid() == 0 else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGHOST": str(self.folder)},
            timeout=START_TIMEOUT_S,
        )

    def psql(self, script: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a script with psql; errors name its lines: ``psql:<stdin>:LINE: ERROR:  …``."""
        database = ("--username", self.user, "--dbname", "postgres")
        return self.run("psql", "--no-psqlrc", "--quiet", *database, *args, "-f", "-", typed=script)


# Nothing of a test needs to survive a power cut, and many worlds begin with a new database.
FAST = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal"
    " -c max_wal_senders=0 -c max_wal_size=4GB -c autovacuum_naptime=5s"
)
FOLDERS = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"


def _user() -> str:
    return "postgres" if os.geteuid() == 0 else getpass.getuser()


@contextmanager
def postgres_server(settings: str = FAST) -> Iterator[PostgresServer]:
    """Raises ``FileNotFoundError`` when PostgreSQL is not installed."""
    # The client alone has such a folder too, without initdb.
    found = [path.parent for path in BINARIES.glob("*/bin/initdb")]
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
    # Not in TMPDIR, since the path of a socket may have no more than 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="hazina-pg-", dir=FOLDERS))
    newest = max(found, key=lambda path: int(path.parent.name))
    server = PostgresServer(newest, folder)
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(server.user).pw_uid, -1)
    data = str(folder / "data")
    try:
        _must(server.run("initdb", "-D", data, "--no-sync", "--encoding=UTF8", "--locale=C"))
        options = f"-c listen_addresses= -c max_connections=200 -k {folder} {settings}"
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
