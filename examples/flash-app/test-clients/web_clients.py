"""The load-balanced endpoint and the web app of the sample, as clients use them: python web_clients.py API_URL CHAT_URL."""

import asyncio
import sys
from types import SimpleNamespace

import httpx
import websockets
from runpod_flash.stubs.load_balancer_sls import LoadBalancerSlsStub

api, chat = sys.argv[1:]


def routed(method, path):
    def mark(function):
        function.__remote_config__ = {"method": method, "path": path}
        return function

    return mark


@routed("POST", "/total")
async def total(prices, discount=0.0): ...


async def main():
    async with httpx.AsyncClient(base_url=api) as client:
        assert (await client.get("/hello", params={"name": "x"})).json() == {"hello": "x"}
        answer = await client.post("/total", json={"prices": [1, 2.5], "discount": 0.5})
        assert answer.json() == {"total": 1.75}, answer.text
        assert (await client.post("/total", json={"prices": "none"})).status_code == 422
        answer = await client.post("/measure", files={"file": ("a.bin", bytes(100_000))}, data={"label": "a"})
        assert answer.json() == {"label": "a", "bytes": 100_000}, answer.text
        async with client.stream("GET", "/countdown") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = [line async for line in answer.aiter_lines() if line]
        assert lines == ["data: 3", "data: 2", "data: 1"], lines
        assert (await client.get("/ping")).json() == {"status": "healthy"}

    server = SimpleNamespace(name="api", endpoint_url=api)
    stub = LoadBalancerSlsStub(server)
    assert await stub._execute_via_user_route(total, "POST", "/total", [4, 5]) == {"total": 9.0}

    async with httpx.AsyncClient(base_url=chat) as client:
        assert (await client.get("/")).json() == {"about": "hello from chat"}
        assert (await client.get("/ping")).json() == {"status": "healthy", "endpoint": "lb", "id": "ep"}
        assert (await client.post("/execute", json={})).status_code == 404
    async with websockets.connect(chat.replace("http", "ws") + "/echo") as socket:
        for said in ("a", "ü" * 70_000):
            await socket.send(said)
            assert await socket.recv() == said


asyncio.run(main())
print("all is well")
