"""Any environment, ``.env`` file or answer is read, or refused in words; nothing else fails."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.telegram.identity import BotMisconfigured, TelegramUnreachable, check_identity
from bot.environment.env_file import EnvFileFault, read_env_file
from bot.environment.proxies import Proxies, ProxyFault

TOKEN = "7000000001:only-for-this-test"
URLS = st.sampled_from(["https://bank.test", "http://10.1.2.3:8080", "https://[fd00::1]:8443"])
PARTS = ("http", "https", "socks5", "://", "[", "]", "::", "/", "@", ":", ",", "%", "8", "?", "#")
PIECES = st.lists(
    st.sampled_from(PARTS) | st.text("ab0 \tö\x00٣\ud800", max_size=4), max_size=8
).map("".join)


@given(st.dictionaries(st.sampled_from(["https_proxy", "ALL_PROXY", "NO_PROXY"]), PIECES), URLS)
def test_a_proxy_is_one_or_is_a_line_that_names_its_variable(
    environ: dict[str, str], url: str
) -> None:
    proxies = Proxies(environ)
    lines = list(proxies.warnings())
    try:
        proxy = proxies.of(url)
    except ProxyFault as fault:
        lines.append(str(fault))
    else:
        assert (proxy is None) == (proxies.variable_for(url) is None)
    for line in lines:
        assert line.partition(":")[0] in environ
        assert "\n" not in line


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text("ANCB=_ \t\r\n'\"#\\$é", max_size=60).map(str.encode))
def test_an_env_file_is_read_or_refused_in_lines(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with suppress(EnvFileFault):
        found = read_env_file(path, ours={"NCB"}, secret={"NCB"})
        assert found.get("NCB", "").encode() in content  # a secret is taken literally


@given(
    st.integers(min_value=100, max_value=599),
    st.binary(max_size=40)
    | st.sampled_from([b"{}", b'{"ok": true}', b'{"ok": false}', b'{"ok": true, "result": {}}']),
)
def test_nothing_but_the_bot_itself_is_recognised(status: int, payload: bytes) -> None:
    with pytest.raises((BotMisconfigured, TelegramUnreachable)) as words:
        check_identity(status, payload, TOKEN)
    assert "\n" not in str(words.value)
