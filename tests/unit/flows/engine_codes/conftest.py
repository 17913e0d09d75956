"""Fixtures for the tests in this folder."""

from __future__ import annotations

import pytest

from tests.kit.float_chat import FloatChat


@pytest.fixture
def chat() -> FloatChat:
    return FloatChat()
