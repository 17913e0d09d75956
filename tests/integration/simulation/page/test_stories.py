"""Stories: scripts that hold, with captions, played on the page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.scripts.speech import Speech
from bot.simulation.page import story as story_module
from bot.simulation.page.story import STORIES, StoryState, stories
from tests.kit.page_tab import PageTab, page_tab

CAPTION_MAX = 160


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - the page is not changed for its tests
            await asyncio.sleep(0.005)


async def _to_its_end(tab: PageTab) -> StoryState:
    async with asyncio.timeout(60):
        while tab.desk.page.story.state in (StoryState.PLAYING, StoryState.PAUSED):
            tab.desk.page.story.next()
            await asyncio.sleep(0.005)
    return tab.desk.page.story.state


@pytest.mark.parametrize("story_id", STORIES)
def test_every_step_of_a_story_has_a_caption_that_fits(story_id: str) -> None:
    story = stories()[story_id]
    captioned = {caption.line for caption in story.captions}
    for line in story.script.lines:
        if isinstance(line, Speech):
            assert line.at.line in captioned, line.at.text
    assert all(len(caption.text) <= CAPTION_MAX for caption in story.captions)
    assert len({story.title for story in stories().values()}) == len(STORIES)


async def test_a_story_plays_in_a_fresh_world_to_its_end(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.say("/topup")
        await tab.do("story", story="paid")
        assert await _to_its_end(tab) is StoryState.HELD, tab.desk.page.story.problem
        assert tab.desk.served.number == 2
        news = await tab.news()
        assert 'data-story-state="held"' in news
        assert "In a fresh world of its own" in news
        assert "New balance KES 51,500" in news
        assert "Balance" in await tab.say("/menu")


async def test_a_story_of_two_people_shows_two_phones(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("story", story="approval")
        assert await _to_its_end(tab) is StoryState.HELD, tab.desk.page.story.problem
        assert sorted(tab.view.people) == ["njoki", "wanjiru"]


async def test_whoever_types_during_a_story_is_told_that_it_plays(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("story", story="paid")
        tab.desk.page.story.pause()
        teller = tab.desk.page.story
        await _until(lambda: bool(teller.told))
        assert "'Paid' is playing" in await tab.refused("say", person="wanjiru", text="/topup")
        assert (await tab.desk.client.get("/")).status_code == 200
        await tab.do("story", do="stop")
        assert tab.desk.page.story.state is StoryState.STOPPED
        await tab.say("/topup")


async def test_a_paused_story_waits_until_it_may_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story_module, "STEP_S", 0.005)
    async with page_tab(tmp_path) as tab:
        await tab.do("story", story="paid")
        await tab.do("story", do="pause")
        teller = tab.desk.page.story
        await _until(lambda: bool(teller.told))
        told = len(tab.desk.page.story.told)
        await asyncio.sleep(0.1)
        assert len(tab.desk.page.story.told) == told
        await tab.do("story", do="next")
        await _until(lambda: len(teller.told) > told)
        await tab.do("story", do="resume")
        await _until(lambda: teller.state is not StoryState.PLAYING)
        assert tab.desk.page.story.state is StoryState.HELD


async def test_another_story_takes_the_place_of_the_one_that_plays(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("story", story="approval")
        await tab.do("story", story="lock-out")
        assert await _to_its_end(tab) is StoryState.HELD
        assert tab.desk.page.story.story is not None
        assert tab.desk.page.story.story.id == "lock-out"


async def test_of_stories_begun_at_once_the_last_plays_and_can_be_stopped(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("story", story="bank-down")
        names = ("paid", "approval", "lock-out")
        await asyncio.gather(*(tab.do("story", story=name) for name in names))
        teller = tab.desk.page.story
        assert teller.story is not None
        assert teller.story.id in names
        await tab.do("story", do="stop")
        assert (teller.state, teller.problem) == (StoryState.STOPPED, "")
        await tab.say("/balance")


async def test_a_reset_ends_a_story_and_goes_back_to_the_opening_world(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("story", story="approval")
        await tab.do("act", what="reset")
        assert "data-story-state" not in await tab.news()
        assert tab.view.people == ["wanjiru"]
        assert tab.desk.served.record.entries == []
        assert "KES 50,000" in await tab.say("/balance")


async def test_a_line_that_fails_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "wrong.chat"
    opening = Path(story_module.__file__).parents[1] / "served" / "opening.chat"
    file.write_text(
        f"title: Wrong\ninclude {opening}\n# She asks.\nwanjiru> /balance\nbot<~ gold\n"
    )
    monkeypatch.setattr(story_module, "stories", lambda: {})
    wrong = story_module._load(file)
    (tmp_path / "world").mkdir()
    async with page_tab(tmp_path / "world") as tab:
        await tab.desk.page.story.begin(wrong)
        assert await _to_its_end(tab) is StoryState.FAILED
        assert "gold" in await tab.news()
