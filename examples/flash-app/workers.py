"""Queue endpoints of the sample app: two functions and a class."""

from greetings import greeting
from runpod_flash import Endpoint


@Endpoint(name="adder", cpu="cpu3c-1-2")
def add(a: int, b: int = 1) -> dict:
    """Adds two numbers."""
    print("adding", a, b)
    return {"sum": a + b, "text": greeting("adder")}


@Endpoint(name="later", cpu="cpu3c-1-2", max_concurrency=4)
async def later(seconds: float) -> float:
    """Sleeps beside others."""
    import asyncio

    await asyncio.sleep(seconds)
    return seconds


@Endpoint(name="counter", cpu="cpu3c-1-2")
class Counter:
    """Keeps count in one loaded process."""

    def __init__(self):
        self.count = 0

    def add(self, by: int = 1) -> int:
        self.count += by
        return self.count
