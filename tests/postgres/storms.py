"""``python -m tests.postgres.storms ARGS``: ``hazina storm ARGS`` against a server of its own."""

from __future__ import annotations

import sys

from bot.cli.storm import storm
from tests.kit.postgres_server import postgres_server

if __name__ == "__main__":
    with postgres_server() as server:
        storm([*sys.argv[1:], "--database", server.dsn])
