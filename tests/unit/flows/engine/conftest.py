"""Fixtures of the tests beside it."""

from __future__ import annotations

import pytest

from tests.kit.stub_chat import Chat


@pytest.fixture
def chat() -> Chat:
    return Chat()
