from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.served_api import ServedApi, served_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ServedApi]:
    async with served_api(tmp_path) as served:
        yield served
