"""Fixtures for the tests in this folder."""

from __future__ import annotations

import pytest

from tests.kit.stub_chat import Chat


@pytest.fixture
def chat() -> Chat:
    return Chat()
