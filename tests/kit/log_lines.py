"""Log lines as tests read them."""

from __future__ import annotations

QUIET = ("httpx", "httpcore", "telegram", "aiosqlite", "apscheduler", "fontTools")
INVITE = "q7Yb0ZsN4u2Kd8Jx5Wc1Rm9Tv3Lf6Hg0Pa2Eo4Iu6Ny"
