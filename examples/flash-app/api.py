"""The load-balanced endpoint of the sample app: its routes."""

import asyncio

from fastapi.responses import StreamingResponse
from runpod_flash import Endpoint

api = Endpoint(name="api", cpu="cpu3c-1-2")


@api.get("/hello")
async def hello(name: str = "you") -> dict:
    """Greets."""
    return {"hello": name}


@api.post("/total")
async def total(prices: list[float], discount: float = 0.0) -> dict:
    """Adds prices up; its parameters are the fields of the JSON body."""
    return {"total": round(sum(prices) * (1 - discount), 2)}


@api.post("/measure")
async def measure(file: bytes, label: str = "") -> dict:
    """Takes an uploaded file."""
    return {"label": label, "bytes": len(file)}


@api.get("/countdown")
async def countdown(start: int = 3):
    """Streams server-sent events."""

    async def events():
        for number in range(start, 0, -1):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(events(), media_type="text/event-stream")
