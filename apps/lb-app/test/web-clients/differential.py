"""Send the same bytes to a port and to plain uvicorn with the same app; print what differs.

python differential.py PORT
"""

import base64
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

here = Path(__file__).parent


def request(method, path, headers=(), body=b"", version="1.1", close=True):
    lines = [f"{method} {path} HTTP/{version}", "Host: app.example"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def as_json(value):
    return json.dumps(value).encode()


def multipart(*parts):
    body = b""
    for name, filename, data in parts:
        body += b'--edge\r\nContent-Disposition: form-data; name="' + name.encode() + b'"'
        if filename:
            body += b'; filename="' + filename.encode() + b'"\r\nContent-Type: application/octet-stream'
        body += b"\r\n\r\n" + data + b"\r\n"
    return body + b"--edge--\r\n"


def frame(opcode, data):
    mask = b"\1\2\3\4"
    size = len(data)
    head = bytes([0x80 | opcode])
    head += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack("!H", size)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def websocket(path, *frames, headers=()):
    key = base64.b64encode(b"0123456789abcdef").decode()
    upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", key), ("Sec-WebSocket-Version", "13")]
    return [request("GET", path, [*upgrade, *headers], close=False), *frames]


JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART = ("Content-Type", "multipart/form-data; boundary=edge")
bye = frame(8, struct.pack("!H", 1000))

exchanges = [
    request("GET", "/"),
    request("HEAD", "/"),
    request("GET", "/", version="1.0", close=False),
    request("GET", "/state"),
    request("GET", "/items/5"),
    request("GET", "/items/5?q=a%20b&many=1&many=2"),
    request("GET", "/items/5?q=%C3%A4"),
    request("GET", "/items/five"),
    request("GET", "/items/5?many=x"),
    request("POST", "/items", [JSON], as_json({"name": "a"})),
    request("POST", "/items", [JSON], as_json({"name": "a", "price": "x"})),
    request("POST", "/items", [JSON], as_json({})),
    request("POST", "/items", [JSON], b"{"),
    request("POST", "/items", [JSON]),
    request("POST", "/items", [], as_json({"name": "a"})),
    request("PUT", "/items/1", [JSON, ("X-Token", "t")], as_json({"name": "ü", "tags": ["x"]})),
    request("PUT", "/items/1", [JSON], as_json({"name": "n", "price": 1e300})),
    request("DELETE", "/items/1"),
    request("PATCH", "/raw", [("Content-Type", "application/x-own")], bytes(range(256))),
    request("PATCH", "/raw", [], b"x" * 100_000),
    request("PATCH", "/raw", [("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n5\r\nlater\r\n0\r\n\r\n"),
    request("PATCH", "/raw", [("Expect", "100-continue")], b"expected"),
    request("POST", "/form", [FORM], b"name=n&age=7"),
    request("POST", "/form", [FORM], b"name=a%20b"),
    request("POST", "/form", [FORM], b"age=7"),
    request("POST", "/form", [MULTIPART], multipart(("name", None, b"n"))),
    request("POST", "/upload", [MULTIPART], multipart(("file", "a.bin", bytes(range(256)) * 1000), ("note", None, b"n"))),
    request("POST", "/upload", [MULTIPART], multipart(("file", "ü.txt", b""))),
    request("POST", "/upload", [MULTIPART], b"no multipart at all"),
    request("POST", "/files", [MULTIPART], multipart(("files", "a", b"1"), ("files", "b", b"22"))),
    request("GET", "/headers", [("X-One", "1"), ("X-Two", "2"), ("X-One", "again"), ("Accept", "*/*")]),
    request("GET", "/cookies"),
    request("GET", "/cookies", [("Cookie", "seen=before; other=x")]),
    request("GET", "/html"),
    request("GET", "/text"),
    request("HEAD", "/text"),
    request("GET", "/long"),
    request("GET", "/long", [("Accept-Encoding", "gzip")]),
    request("GET", "/redirect"),
    request("GET", "/stream"),
    request("GET", "/stream", version="1.0", close=False),
    request("GET", "/bytes"),
    request("GET", "/events/3"),
    request("GET", "/file"),
    request("GET", "/file", [("Range", "bytes=10-19")]),
    request("GET", "/file", [("Range", "bytes=10-19,30-39")]),
    request("GET", "/file", [("Range", "bytes=9999999-")]),
    request("GET", "/teapot"),
    request("GET", "/broken"),
    request("GET", "/half"),
    request("GET", "/later"),
    request("GET", "/private"),
    request("GET", "/private", [("Authorization", "Bearer secret")]),
    request("GET", "/slash"),
    request("GET", "/slash/"),
    request("GET", "/early"),
    request("GET", "/sub/inner"),
    request("GET", "/sub/none"),
    request("GET", "/none"),
    request("POST", "/text"),
    request("OPTIONS", "/items", [("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT")]),
    request("OPTIONS", "/items", [("Origin", "https://b.example"), ("Access-Control-Request-Method", "PUT")]),
    request("GET", "/text", [("Origin", "https://a.example")]),
    request("GET", "/openapi.json"),
    request("GET", "/docs"),
    request("GET", "/redoc"),
    request("GET", "/execute"),
    request("POST", "/execute", [JSON], as_json({"function_name": "f"})),
    request("GET", "//text"),
    request("GET", "/te%78t"),
    request("GET", "/text?" + "q" * 5000),
    request("GET", "*"),
    request("MAKECOFFEE", "/text"),
    request("GET", "/text", [("X-Long", "x" * 30_000)]),
    b"GET / HTTP/1.1\r\n\r\n",
    b"nonsense\r\n\r\n",
    request("GET", "/text", [("Content-Length", "x")]),
    request("GET", "/text", close=False) + request("GET", "/", close=False) + request("GET", "/html"),
    request("GET", "/text", [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "1.2.3.4")]),
    request("GET", "/state", [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "1.2.3.4")]),
    websocket("/echo", frame(1, b"text"), frame(2, bytes(300)), frame(9, b"ping"), bye),
    websocket("/echo", frame(1, b"close")),
    websocket("/echo", frame(1, b"text"), bye, headers=[("Sec-WebSocket-Protocol", "chat, other")]),
    websocket("/refused"),
    websocket("/none"),
    websocket("/echo", b"\xff\xff"),
    request("GET", "/echo"),
    request("GET", "/text", [("Upgrade", "h2c"), ("Connection", "Upgrade")]),
]


def talk(port, exchange):
    pieces = exchange if isinstance(exchange, list) else [exchange]
    connection = socket.create_connection(("127.0.0.1", port), timeout=1)
    received = b""
    for number, piece in enumerate(pieces):
        connection.sendall(piece)
        if number < len(pieces) - 1:
            # The handshake before any frame, and each echo before the next: a close would overtake it, now and then.
            received += connection.recv(65536)
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        received += b"[reset]"
    except TimeoutError:
        received += b"[open]"
    connection.close()
    received = re.sub(rb"(boundary=|--)[0-9a-f]{26}", rb"\1edge", received)  # made at random
    return re.sub(rb"(?mi)^(date|server): [^\r]*\r\n", b"", received)


def bare_uvicorn():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "everything:app", "--port", str(port), "--log-level", "critical"]
    command += ["--timeout-keep-alive", "600"]
    process = subprocess.Popen(command, cwd=here, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit("uvicorn does not start")


process, bare_port = bare_uvicorn()
differences = []
silent = 0
try:
    for exchange in exchanges:
        ours, theirs = talk(int(sys.argv[1]), exchange), talk(bare_port, exchange)
        if not theirs:
            silent += 1
        if ours != theirs:
            differences.append({"sent": repr(exchange)[:200], "ours": repr(ours)[:600], "theirs": repr(theirs)[:600]})
finally:
    process.terminate()
    process.wait()
print(json.dumps({"requests": len(exchanges) - silent, "differences": differences}))
