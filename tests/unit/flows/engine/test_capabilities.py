"""What a channel says of itself cannot contradict itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.engine.capabilities import LATER
from tests.kit.channels import CHANNELS, CHAT
from tests.kit.request_channel import CAPABILITIES


@pytest.mark.parametrize("name", LATER)
def test_without_push_nothing_comes_later(name: str) -> None:
    with pytest.raises(ValueError, match=f"no {name}"):
        replace(CAPABILITIES, **{name: True})


def test_a_chat_may_lack_anything_else() -> None:
    assert not replace(CHAT, files=False).files
    assert all(one.push for one in CHANNELS.values())
