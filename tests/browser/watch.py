"""What must not happen in any page, whatever a test is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    Response,
    WebError,
)

HOST = "127.0.0.1"
WITHOUT_A_HOST = ("about", "blob", "data")

# A violation is told to the page alone, so the page has to repeat it.
REPEAT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI}`);
});
"""

# What Chromium and htmx write when a request or a stream of events breaks off.
OF_A_CONNECTION = ("Failed to load resource:", "[object Event]")


class Watch:
    """Collects the problems of all pages of a browser context, each as a line."""

    def __init__(self, context: BrowserContext) -> None:
        self.problems: list[str] = []
        self._context = context
        self._connections_may_break = False
        context.add_init_script(REPEAT_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("dialog", self._on_dialog)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_request_failed)
        context.on("response", self._on_response)
        context.on("weberror", self._on_error)
        context.on("page", self._on_page)

    @contextmanager
    def connections_may_break(self) -> Iterator[None]:
        """For a test that kills the server: until the block ends, a failed request is no problem.
        The block has to end with something that the page shows once it is served again."""
        self._connections_may_break = True
        try:
            yield
        finally:
            self._catch_up()
            self._connections_may_break = False

    def take(self) -> list[str]:
        """The problems so far, which are not counted again."""
        self._catch_up()
        taken, self.problems = self.problems, []
        return taken

    def _catch_up(self) -> None:
        """Events come in order, so an answer of the page is behind all that happened before it."""
        for page in self._context.pages:
            page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if message.text.startswith(OF_A_CONNECTION) and self._connections_may_break:
            return
        self.problems.append(f"console {message.type}: {message.text}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def _on_error(self, error: WebError) -> None:
        self.problems.append(f"uncaught: {error.error}")

    def _on_page(self, page: Page) -> None:
        page.on("crash", lambda _: self.problems.append("the page crashed"))
        page.on("websocket", lambda socket: self._check_address(socket.url))

    def _on_request(self, request: Request) -> None:
        self._check_address(request.url)

    def _check_address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in WITHOUT_A_HOST and parts.hostname != HOST:
            self.problems.append(f"leaves this machine: {url}")

    def _on_request_failed(self, request: Request) -> None:
        # Aborted: the page itself gave it up, as it does with its stream of events when it is left.
        if request.failure != "net::ERR_ABORTED" and not self._connections_may_break:
            self.problems.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500 and not self._connections_may_break:
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")
