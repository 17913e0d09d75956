"""The benchmark of the dashboard reads every tile of the real program: a small run finishes."""

from __future__ import annotations

from pathlib import Path

from bot.bench import dashboard
from bot.http.dashboard.tiles.table import TILES


async def test_every_tile_is_measured_beside_a_balance(tmp_path: Path) -> None:
    measured = [
        case
        async for case in dashboard.measure(operations=800, samples=20, pairs=1, within=tmp_path)
    ]
    assert [case.name for case in measured] == [f"dashboard: {tile.name}, p99" for tile in TILES]
    for case in measured:
        assert case.conditions == {"scans nothing that grows": True}
        assert case.figures["balance_p99_ms"] > 0
