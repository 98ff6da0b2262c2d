"""A web app of its own within the sample app, for what routes of an endpoint can't do: served with FLASH_MAIN_FILE=chat.py."""

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from greetings import greeting

app = FastAPI()


@app.get("/")
def about() -> dict:
    return {"about": greeting("chat")}


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    """Sends back what it gets."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass
