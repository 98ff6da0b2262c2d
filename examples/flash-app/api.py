"""The load-balanced endpoint of the sample app."""

from runpod_flash import Endpoint

api = Endpoint(name="api", cpu="cpu3c-1-2")


@api.get("/hello")
async def hello(name: str = "you") -> dict:
    """Greets."""
    return {"hello": name}
