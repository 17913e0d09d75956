from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.dashboard_desk import DashboardDesk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[DashboardDesk]:
    desk = await DashboardDesk.open(tmp_path)
    yield desk
    await desk.close()
