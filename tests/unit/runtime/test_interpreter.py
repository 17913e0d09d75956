"""The interpreter is tuned as the settings say, and by default as it was measured best."""

import gc
import sys

import pytest

from bot.runtime import interpreter
from bot.settings import Settings


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    done: list[object] = []
    monkeypatch.setattr(gc, "freeze", lambda: done.append("frozen"))
    monkeypatch.setattr(sys, "setswitchinterval", done.append)
    return done


def test_by_default_objects_are_frozen_and_threads_switch_often(done: list[object]) -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    interpreter.tune(
        gc_freeze=defaults["gc_freeze"], switch_interval_s=defaults["switch_interval_s"]
    )
    assert done == ["frozen", 0.0001]


def test_the_settings_change_both(done: list[object]) -> None:
    interpreter.tune(gc_freeze=False, switch_interval_s=0.005)
    assert done == [0.005]
