from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.api_caller import ApiCaller, calling


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[ApiCaller]:
    async with calling(tmp_path) as caller:
        yield caller
