"""A web app with a bit of everything, for comparing servers."""

import asyncio
import io
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import (
    BackgroundTasks,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
)
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from pydantic import BaseModel


@asynccontextmanager
async def lifespan(app: FastAPI):
    yield {"started": True}


app = FastAPI(lifespan=lifespan)
app.add_middleware(GZipMiddleware, minimum_size=2000)
app.add_middleware(CORSMiddleware, allow_origins=["https://a.example"], allow_methods=["GET", "PUT"])


@app.middleware("http")
async def mark(request: Request, call_next):
    response = await call_next(request)
    response.headers["x-marked"] = request.method
    return response


class Item(BaseModel):
    name: str
    price: float = 1.5
    tags: list[str] = []


@app.get("/")
def root():
    return {"hello": "world"}


@app.get("/state")
def state(request: Request):
    return {"started": request.state.started, "scheme": request.url.scheme, "http": request.scope["http_version"]}


@app.get("/items/{item_id}")
def item(item_id: int, q: str | None = None, many: Annotated[list[int] | None, Query()] = None):
    return {"id": item_id, "q": q, "many": many}


@app.post("/items", status_code=201)
async def create(item: Item):
    return item


@app.put("/items/{item_id}")
async def replace(item_id: int, item: Item, x_token: Annotated[str | None, Header()] = None):
    return {"id": item_id, "item": item, "token": x_token}


@app.delete("/items/{item_id}", status_code=204)
def delete(item_id: int):
    return Response(status_code=204)


@app.patch("/raw")
async def raw(request: Request):
    return Response(await request.body(), media_type=request.headers.get("content-type"))


@app.post("/form")
async def form(name: Annotated[str, Form()], age: Annotated[int, Form()] = 3):
    return {"name": name, "age": age}


@app.post("/upload")
async def upload(file: UploadFile, note: Annotated[str, Form()] = ""):
    data = await file.read()
    return {"name": file.filename, "size": len(data), "sum": sum(data), "note": note}


@app.post("/files")
async def files(files: Annotated[list[bytes], File()]):
    return [len(one) for one in files]


@app.get("/headers")
def headers(request: Request):
    return [[name, value] for name, value in request.headers.items()]


@app.get("/cookies")
def cookies(response: Response, seen: Annotated[str | None, Cookie()] = None):
    response.set_cookie("seen", "yes", max_age=60, httponly=True)
    response.set_cookie("other", "ä".encode().hex())
    return {"seen": seen}


@app.get("/html", response_class=HTMLResponse)
def html():
    return "<p>ü</p>"


@app.get("/text", response_class=PlainTextResponse)
def text():
    return "plain"


@app.get("/long")
def long():
    return PlainTextResponse("abc" * 5000)


@app.get("/redirect")
def redirect():
    return RedirectResponse("/text")


@app.get("/stream")
def stream():
    def chunks():
        for number in range(5):
            yield f"chunk {number}\n"

    return StreamingResponse(chunks(), media_type="text/plain")


@app.get("/bytes")
def some_bytes():
    return StreamingResponse(io.BytesIO(bytes(range(256)) * 10), media_type="application/octet-stream")


@app.get("/events/{count}")
async def events(count: int, pause: float = 0.0):
    async def produce():
        for number in range(count):
            yield f"id: {number}\ndata: event {number}\n\n"
            await asyncio.sleep(pause)

    return StreamingResponse(produce(), media_type="text/event-stream")


@app.get("/file")
def file():
    return FileResponse(__file__, headers={"last-modified": "x", "etag": "y"})


@app.get("/teapot")
def teapot():
    raise HTTPException(418, {"short": True}, headers={"x-pot": "tea"})


@app.get("/broken")
def broken():
    raise ValueError("it broke")


@app.get("/half")
async def half():
    async def produce():
        yield "first"
        raise ValueError("then it broke")

    return StreamingResponse(produce())


@app.get("/later")
async def later(tasks: BackgroundTasks):
    tasks.add_task(lambda: None)
    return JSONResponse({"later": True}, background=None, status_code=202)


def token(authorization: Annotated[str | None, Header()] = None):
    if authorization != "Bearer secret":
        raise HTTPException(401, "who are you?", headers={"www-authenticate": "Bearer"})


@app.get("/private", dependencies=[Depends(token)])
def private():
    return "in"


@app.get("/slash/")
def slash():
    return "slash"


@app.get("/early")
async def early():
    return Response(b"", headers=[("link", "</a>"), ("link", "</b>")] and {"link": "</a>"})


sub = FastAPI()


@sub.get("/inner")
def inner(request: Request):
    return {"root": request.scope.get("root_path"), "path": request.scope["path"]}


app.mount("/sub", sub)


@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept(subprotocol="chat" if "chat" in (socket.scope["subprotocols"] or []) else None)
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") == "close":
                await socket.close(4001, "as asked")
                return
            if message.get("text") is not None:
                await socket.send_text(message["text"])
            else:
                await socket.send_bytes(message["bytes"])
    except WebSocketDisconnect:
        pass


@app.websocket("/refused")
async def refused(socket: WebSocket):
    await socket.close(1008)
