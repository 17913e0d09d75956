"""Debian's Chromium, since Playwright's own browsers are a download of its own."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

ARGUMENTS = [
    "--no-sandbox",  # root needs it
    "--disable-gpu",
    "--no-proxy-server",
    # What names another machine fails, before anything is sent. Addresses are left to Watch.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def launch(playwright: Playwright) -> Browser:
    """Raises ``LookupError`` where there is no Chromium."""
    executable = shutil.which("chromium")
    if executable is None:
        raise LookupError("there is no chromium here: apt-get install chromium")
    return playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
