"""Many event streams and WebSockets at once: python streams.py PORT STREAMS SOCKETS SECONDS. Prints what came."""

import asyncio
import json
import sys

import httpx
import websockets

port, streams, sockets, seconds = (int(text) for text in sys.argv[1:5])
address = f"127.0.0.1:{port}"
EVENTS = 20
failures = []


async def follow(client):
    seen = []
    async with client.stream("GET", f"http://{address}/events/{EVENTS}?pause={seconds / EVENTS}") as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                seen.append(line)
    if seen != [f"data: event {number}" for number in range(EVENTS)]:
        failures.append(f"a stream had {len(seen)} events")
    return len(seen)


async def talk(number):
    echoes = 0
    async with websockets.connect(f"ws://{address}/echo", subprotocols=["chat"]) as socket:
        if socket.subprotocol != "chat":
            failures.append(f"subprotocol {socket.subprotocol}")
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            said = f"{number}:{echoes}" if echoes % 2 else f"{number}:{echoes}".encode() * 100
            await socket.send(said)
            if await socket.recv() != said:
                failures.append(f"socket {number} got another echo")
            echoes += 1
            await asyncio.sleep(0.1)
    return echoes


async def main():
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        results = await asyncio.gather(
            asyncio.gather(*(follow(client) for _ in range(streams))),
            asyncio.gather(*(talk(number) for number in range(sockets))),
            return_exceptions=True,
        )
    for result in results:
        if isinstance(result, BaseException):
            failures.append(repr(result))
    events, echoes = (0 if isinstance(result, BaseException) else sum(result) for result in results)
    print(json.dumps({"events": events, "echoes": echoes, "failures": failures[:10]}))


asyncio.run(main())
