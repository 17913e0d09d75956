"""Files that people send from the simulator's page."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from flows.engine.event import FILE_BYTES_MAX
from tests.kit.page_tab import page_tab

CSV = b"phone,amount,reference\n0722000111,150,S-1\n"
MARKUP = "<img src=x onerror=alert(1)>"


async def test_a_file_shows_with_its_name_and_is_answered(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        news = await tab.attach(CSV, "pay in november.csv")
        assert news.count("<article") == 2
        assert 'download="pay in november.csv"' in news
        assert "(42 bytes)" in news
        assert "Paying 1 row costs KES 155" in news


async def test_a_sample_is_made_of_the_worlds_seed(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("sample", person="wanjiru", rows="12")
        news = await tab.news()
        assert "sample.csv" in news
        assert "Paying 12 rows costs" in news
        await tab.do("sample", person="njoki", rows="1000")
        assert tab.desk.served.scene.shown[-1].text.startswith("Paying 1,000 rows costs")


async def test_what_was_sent_can_be_fetched_but_never_shown_as_a_page(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        for name in ("a.html", "a.png", "a.svg"):
            news = await tab.attach(MARKUP.encode(), name)
            assert "<img" not in news
            address = re.findall(r'href="([^"]+)"', news)[0]
            answer = await tab.desk.client.get(address)
            assert answer.content == MARKUP.encode()
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"].startswith("attachment;")
        await tab.say("hello")
        for bubble in ("s9999", "s" + "9" * 400, "s-1", "s3"):
            answer = await tab.desk.client.get(f"/page/files/1/{bubble}")
            assert answer.status_code == 404, bubble


async def test_markup_in_a_name_is_shown_as_it_is(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        news = await tab.attach(CSV, MARKUP)
        assert MARKUP not in news
        assert "&lt;img src=x" in news


async def test_what_is_sent_as_a_file_is_checked(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        for name, person, status in (
            ("a.csv", "nobody", 409),
            ("", "wanjiru", 400),
            (" ", "wanjiru", 400),
            ("a\nb.csv", "wanjiru", 400),
            ("a\0.csv", "wanjiru", 400),
            ("x" * 256, "wanjiru", 400),
            ("a.csv", "", 400),
        ):
            answer = await tab.send_file(CSV, name, person)
            assert answer.status_code == status, (name, person, answer.text)
            assert "\n" not in answer.text.strip()
        assert (await tab.send_file(CSV, more="1")).status_code == 400
        many = {f"field{n}": "1" for n in range(20)}
        assert (await tab.send_file(CSV, **many)).status_code == 400
        for rows in ("0", "-1", "1001", "many"):
            assert (await tab.send("sample", person="wanjiru", rows=rows)).status_code == 400
        assert tab.desk.served.record.entries == []


async def test_a_file_of_a_mebibyte_is_taken_and_no_larger_one(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        assert (await tab.send_file(b"x" * (FILE_BYTES_MAX + 1))).status_code == 413
        assert "can be read here" in await tab.attach(b"x" * FILE_BYTES_MAX)
        assert "There is no row" in await tab.attach(CSV.split(b"\n")[0])


async def test_a_file_of_another_site_or_without_the_token_is_refused(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        fields = {"view": tab.view_id, "person": "wanjiru", "name": "a.csv"}
        for headers in (
            {},
            {"x-hazina-token": "another"},
            {"x-hazina-token": tab.token, "sec-fetch-site": "cross-site"},
            {"x-hazina-token": tab.token, "origin": "https://evil.example"},
            {"x-hazina-token": tab.token, "host": "evil.example"},
        ):
            answer = await tab.desk.client.post(
                "/page/file", params=fields, content=CSV, headers=headers
            )
            assert answer.status_code in (400, 403), headers
        assert tab.desk.served.record.entries == []


async def test_what_is_sent_during_a_story_is_not_taken(tmp_path: Path) -> None:
    async with page_tab(tmp_path) as tab:
        await tab.do("story", story="paid")
        await tab.do("story", do="pause")
        async with asyncio.timeout(30):
            while not tab.desk.page.story.told:  # noqa: ASYNC110 - as in the stories' tests
                await asyncio.sleep(0.005)
        answer = await tab.send_file(CSV)
        assert answer.status_code == 409
        assert "is playing" in answer.text
        await tab.do("story", do="stop")
