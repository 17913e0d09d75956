from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.older_desk import OlderDesk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[OlderDesk]:
    desk = await OlderDesk.open(tmp_path)
    yield desk
    await desk.close()
