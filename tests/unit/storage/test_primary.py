"""Which node is the primary, by what each node's Patroni answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from storage.postgres import primary
from storage.postgres.primary import Primary, PrimarySearch, find_primary

Answer = tuple[int, bytes]  # status and body
Node = Callable[..., str]

LEADER = json.dumps({"role": "primary", "timeline": 3}).encode()
STANDBY = json.dumps({"role": "replica", "timeline": 3}).encode()


@pytest.fixture
def node() -> Iterator[Node]:
    """Starts one that answers ``GET /primary`` like that after so many seconds; returns its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer, host: str = "127.0.0.1", after_s: float = 0.0) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(after_s)
                status, body = answer if self.path == "/primary" else (200, LEADER)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer((host, 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *args: None  # type: ignore[method-assign]  # who asked has gone
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://{host}:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def frozen() -> Iterator[str]:
    """The URL of a node whose kernel takes connections, and that never answers."""
    with socket.create_server(("127.0.0.9", 0)) as listening:
        yield f"http://127.0.0.9:{listening.getsockname()[1]}"


def test_the_node_that_says_so_is_the_primary(node: Node) -> None:
    urls = [node((503, STANDBY)), node((200, LEADER), "127.0.0.2"), node((503, STANDBY))]
    assert find_primary(urls) == Primary("127.0.0.2", 5432)
    assert find_primary(urls, port=6000) == Primary("127.0.0.2", 6000)


def test_nobody_is_the_primary_while_nobody_says_so(node: Node) -> None:
    assert find_primary([node((503, STANDBY)), node((503, LEADER)), node((500, b""))]) is None
    assert find_primary([]) is None


def test_of_two_the_one_with_the_higher_timeline_is(node: Node) -> None:
    """The other one was replaced, and has not noticed yet."""
    new = json.dumps({"role": "primary", "timeline": 10}).encode()
    urls = [node((200, LEADER)), node((200, new), "127.0.0.2"), node((200, LEADER), "127.0.0.3")]
    assert find_primary(urls) == Primary("127.0.0.2", 5432)
    assert find_primary(urls[::-1]) == Primary("127.0.0.2", 5432)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"timeline": null}', b"\xff"])
def test_the_status_counts_whatever_the_body_says(node: Node, body: bytes) -> None:
    assert find_primary([node((200, body))]) == Primary("127.0.0.1", 5432)


def test_a_frozen_node_keeps_nobody_waiting_for_long(node: Node, frozen: str) -> None:
    began = time.monotonic()
    assert find_primary([frozen, node((200, LEADER))], limit_s=0.3) == Primary("127.0.0.1", 5432)
    assert find_primary([frozen], limit_s=0.3) is None
    assert time.monotonic() - began < 2


def test_who_answers_too_late_is_not_waited_for(node: Node) -> None:
    assert find_primary([node((200, LEADER), after_s=1.0)], limit_s=0.2) is None


def test_a_node_that_is_gone_is_passed_over(node: Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        gone = f"http://127.0.0.1:{listening.getsockname()[1]}"
    assert find_primary([gone, "http://nowhere.invalid:8008", node((200, LEADER))]) is not None


def test_what_is_no_http_is_no_primary() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            there, _ = listening.accept()
            with there:
                there.recv(1024)
                there.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        threading.Thread(target=answer, daemon=True).start()
        assert find_primary([f"http://127.0.0.1:{listening.getsockname()[1]}"]) is None


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Primary | None]:
    """The answers still to be given, each half a second after it was asked for."""
    answers: list[Primary | None] = []

    def find(urls: Sequence[str]) -> Primary | None:
        time.sleep(0.5)
        return answers.pop(0)

    monkeypatch.setattr(primary, "find_primary", find)
    return answers


def test_all_connections_of_a_process_ask_once(asked: list[Primary | None]) -> None:
    leader = Primary("10.0.0.12", 5432)
    asked += [leader, leader]
    search = PrimarySearch(["http://10.0.0.12:8008"])
    together = threading.Barrier(8)

    def connect(_: int) -> Primary | None:
        together.wait()
        return search.find()

    with ThreadPoolExecutor(8) as connections:
        assert list(connections.map(connect, range(8))) == [leader] * 8
    assert asked == [leader]
    assert search.find() == leader  # the next one is answered by the cluster again
    assert asked == []


def test_a_cluster_without_leader_is_left_in_peace(
    asked: list[Primary | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = Primary("10.0.0.12", 5432)
    asked += [None, leader]
    monkeypatch.setattr(primary, "PAUSE_S", 60)
    search = PrimarySearch(["http://10.0.0.12:8008"])
    assert [search.find() for _ in range(20)] == [None] * 20
    assert asked == [leader]


def test_after_a_pause_it_is_asked_again(
    asked: list[Primary | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = Primary("10.0.0.12", 5432)
    asked += [None, leader]
    monkeypatch.setattr(primary, "PAUSE_S", 0.1)
    search = PrimarySearch(["http://10.0.0.12:8008"])
    assert search.find() is None
    time.sleep(0.15)
    assert search.find() == leader


def test_whoever_waits_hears_of_a_failed_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(urls: Sequence[str]) -> Primary | None:
        time.sleep(0.1)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(primary, "find_primary", find)
    search = PrimarySearch(["http://10.0.0.12:8008"])
    with ThreadPoolExecutor(2) as connections:
        first, second = (connections.submit(search.find) for _ in range(2))
        assert {type(first.exception()), type(second.exception())} == {RuntimeError, type(None)}
