"""The drawer, which shows what happened behind the chat."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.demo_page import SEEN_AFTER_A_TOPUP, DemoPage, DrawerTab
from tests.browser.world_process import talk


@pytest.mark.parametrize("tab", SEEN_AFTER_A_TOPUP)
def test_a_topup_is_seen_in_the_drawer(demo: DemoPage, tab: DrawerTab) -> None:
    demo.tops_up()
    expect(demo.drawer(tab)).to_contain_text(SEEN_AFTER_A_TOPUP[tab])


def test_a_conversation_can_be_copied_as_a_script_that_holds(
    demo: DemoPage, tmp_path: Path
) -> None:
    demo.tops_up()
    demo.presses("Copy as script")
    expect(demo.script).to_have_value(re.compile("/topup"))
    script = tmp_path / "copied.chat"
    script.write_text(demo.script.input_value())
    played = talk(script)
    assert played.returncode == 0, script.read_text() + played.stdout + played.stderr
