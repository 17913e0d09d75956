"""Fixtures of the tests beside it."""

from __future__ import annotations

import pytest

from tests.kit.float_chat import FloatChat


@pytest.fixture
def chat() -> FloatChat:
    return FloatChat()
