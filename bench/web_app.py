"""A small web app for measuring how it is served."""

import asyncio
import os
import time
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse


@asynccontextmanager
async def lifespan(app: FastAPI):
    if "BENCH_READY_FILE" in os.environ:
        with open(os.environ["BENCH_READY_FILE"], "w") as file:
            file.write(str(time.time() * 1000))
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/add")
async def add(a: int, b: int) -> dict:
    return {"sum": a + b}


@app.get("/pid")
async def pid() -> int:
    return os.getpid()


@app.get("/ping")
async def ping() -> dict:
    return {"status": "healthy"}


@app.get("/events/{count}")
async def events(count: int, pause: float):
    async def produce():
        for number in range(count):
            yield f"data: event {number}\n\n"
            await asyncio.sleep(pause)

    return StreamingResponse(produce(), media_type="text/event-stream")


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept(subprotocol="chat")
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") is not None:
                await socket.send_text(message["text"])
            else:
                await socket.send_bytes(message["bytes"])
    except WebSocketDisconnect:
        pass
