"""The layer around the user's app, and the port it shares, without uvicorn."""

import asyncio
import socket
import sys
from enum import Enum
from typing import Any

import pytest

from flash_runner.web_app.layer import AppLayer
from flash_runner.web_app.port import Port

OURS = b'{"status": "healthy", "endpoint": "lb", "id": "ep"}'


class Match(Enum):
    NONE = 0
    FULL = 2


class Route:
    def __init__(self, path: str) -> None:
        self.path = path

    def matches(self, scope: dict[str, Any]) -> tuple[Match, dict[str, Any]]:
        return (Match.FULL if scope["path"] == self.path else Match.NONE), {}


def answering(status: int):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"app"})

    return app


async def nothing() -> None:
    pass


def get(app, routes, path="/ping", method="GET") -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    layer = AppLayer(app, lambda: routes, "ep", nothing)
    asyncio.run(_await(layer({"type": "http", "path": path, "method": method}, receive, send)))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


async def _await(value):
    return await value


def test_ping_is_the_apps_where_it_has_one():
    assert get(answering(200), [Route("/ping")]) == (200, b"app")
    assert get(answering(500), None) == (500, b"app")


def test_ping_is_ours_where_the_app_has_none():
    assert get(answering(200), [Route("/other")]) == (200, OURS)
    assert get(answering(404), [Route("/ping")]) == (200, OURS)
    assert get(answering(404), None) == (200, OURS)


def test_all_else_goes_through():
    assert get(answering(404), [], path="/pin") == (404, b"app")
    assert get(answering(405), [], method="POST") == (405, b"app")


def test_routes_that_can_not_be_asked_are_the_apps_business():
    class Odd:
        def matches(self, scope):
            raise KeyError("headers")

    assert get(answering(201), [Odd()]) == (201, b"app")


def start(app) -> tuple[list[str], AppLayer]:
    said: list[str] = []

    async def started():
        said.append("started")

    async def send(message):
        said.append(message["type"])

    async def receive():
        return {"type": "lifespan.startup"}

    layer = AppLayer(app, lambda: None, "ep", started)
    try:
        asyncio.run(_await(layer({"type": "lifespan"}, receive, send)))
    except NotImplementedError:
        said.append("raised")
    return said, layer


def test_the_start_is_told_before_the_server_hears_of_it():
    async def app(scope, receive, send):
        await send({"type": "lifespan.startup.complete"})

    assert start(app)[0] == ["started", "lifespan.startup.complete"]


def test_an_app_without_a_lifespan_starts_all_the_same():
    async def raising(scope, receive, send):
        raise NotImplementedError

    async def silent(scope, receive, send):
        pass

    assert start(raising)[0] == ["started", "raised"]
    assert start(silent)[0] == ["started"]


def test_a_failed_start_is_kept_with_its_reason():
    async def app(scope, receive, send):
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    said, layer = start(app)
    assert (said, layer.failure) == (["lifespan.startup.failed"], "no database")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel can be told on Linux only")
@pytest.mark.parametrize("ipv6", [False, True])
def test_connections_go_where_they_are_steered_and_back_when_no_process_is_left(ipv6: bool):
    host = "::1" if ipv6 else "127.0.0.1"
    try:
        keeper = Port(ipv6=ipv6)
        asyncio.run(keeper.bind(host, 0, share=True))
    except OSError:
        pytest.skip("there is no IPv6")
    keeper.socket.listen()
    port = keeper.socket.getsockname()[1]
    apps = []
    for number in (1, 2):
        app = Port(ipv6=ipv6)
        asyncio.run(app.bind(host, port, share=True))
        app.socket.listen()
        assert app.steer(number)
        apps.append(app)
    assert [_reached(host, port, [keeper, *apps]) for _ in range(40)].count(0) == 0
    for app in apps:
        app.socket.close()
    assert {_reached(host, port, [keeper]) for _ in range(10)} == {0}
    keeper.socket.close()


def _reached(host: str, port: int, ports: list[Port]) -> int:
    """Which of the ports gets the next connection."""
    with socket.create_connection((host, port), timeout=5):
        for number, candidate in enumerate(ports):
            candidate.socket.setblocking(False)
            try:
                candidate.socket.accept()[0].close()
            except BlockingIOError:
                continue
            return number
    raise AssertionError("no process was reached")


def test_a_port_that_is_taken_is_told():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    other = Port(ipv6=False)
    with pytest.raises(OSError, match="Address already in use"):
        asyncio.run(other.bind("127.0.0.1", taken.getsockname()[1], share=False, wait_s=0.05))
    other.socket.close()
    taken.close()
