"""The platform's own clients against the local queue API: `runpod`, and the stubs of `runpod_flash`."""

import asyncio
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import cloudpickle
import pytest
import runpod
from runpod_flash.execute_class import create_remote_class
from runpod_flash.protos.remote_execution import FunctionRequest, FunctionResponse
from runpod_flash.stubs.dependency_resolver import (
    RemoteDependency,
    build_augmented_source,
    generate_stub_code,
)
from runpod_flash.stubs.live_serverless import LiveServerlessStub

runpod.api_key = "local"
# A user's script is `__main__`, whose classes travel by value; under pytest this module stands in for it.
cloudpickle.register_pickle_by_value(sys.modules[__name__])
endpoint = runpod.Endpoint("samples")


class Server:
    """What a stub needs of a deployed endpoint."""

    name = "samples"

    async def run(self, payload):
        job = await asyncio.to_thread(endpoint.run, {"input": payload})
        while await asyncio.to_thread(job.status) not in ("COMPLETED", "FAILED"):
            await asyncio.sleep(0.02)
        state = await asyncio.to_thread(job._fetch_job)
        return SimpleNamespace(output=state.get("output"), error=state.get("error"))


stub = LiveServerlessStub(Server())


def call(function, *args, dependencies=None, **kwargs):
    async def run():
        request = await stub.prepare_request(
            function, dependencies, None, True, *args, **kwargs
        )
        return stub.handle_response(await stub.ExecuteFunction(request))

    return asyncio.run(run())


def add(a, b=1):
    return a + b


async def add_later(a, b):
    import asyncio

    await asyncio.sleep(0.01)
    return a + b


def whoami():
    import humanize

    return humanize.naturaldelta(3600)


def fail():
    raise ValueError("the message")


class Point:
    def __init__(self, x):
        self.x = x


def move(point, by):
    print("moving")
    point.x += by
    return point


def test_stub_runs_functions():
    assert call(add, 2, b=3) == 5
    assert call(add_later, 2, 3) == 5


def test_stub_round_trips_objects_of_the_client():
    assert call(move, Point(1), 4).x == 5


def test_stub_installs_dependencies():
    assert call(whoami, dependencies=["humanize==4.12.3"]) == "an hour"


def test_stub_raises_what_the_function_raised():
    with pytest.raises(Exception, match="the message") as caught:
        call(fail)
    assert "ValueError: the message" in str(caught.value)
    assert "flash_runner" not in str(caught.value)


def test_stub_reads_a_large_argument():
    blob = os.urandom(7 * 1024 * 1024)
    assert call(lambda_echo, blob) == blob


def lambda_echo(value):
    return value


class Counter:
    def __init__(self, start):
        self.value = start

    def add(self, amount):
        self.value += amount
        return self.value


def test_remote_class_keeps_its_state():
    remote = create_remote_class(
        Counter, SimpleNamespace(name="samples"), [], [], True
    )(10)
    remote._stub = stub  # as the client does once the endpoint is deployed

    async def run():
        values = []
        for amount in (1, 2, 3):
            response = await stub.ExecuteFunction(
                remote._build_class_request("add", (amount,), {})
            )
            values.append(stub.handle_response(response))
        return values

    assert asyncio.run(run()) == [11, 13, 16]


def test_function_with_a_stub_of_another_remote_function():
    inner = RemoteDependency(
        name="inner",
        endpoint_id="samples",
        source="def inner(x):\n    return x * 2\n",
        dependencies=[],
        system_dependencies=[],
    )
    # The worker of the test has no address of its own in its environment; on the platform it has.
    address = f"import os\nos.environ['RUNPOD_ENDPOINT_BASE_URL'] = {os.environ['RUNPOD_ENDPOINT_BASE_URL']!r}\n"
    source = build_augmented_source(
        "async def outer(x):\n    return await inner(x) + 1\n",
        [generate_stub_code(inner)],
    )
    request = FunctionRequest(
        function_name="outer",
        function_code=address + source,
        args=[20],
        serialization_format="json",
    )
    # JSON in, JSON out for the outer call; the stub inside speaks cloudpickle.
    response = asyncio.run(stub.ExecuteFunction(request))
    assert stub.handle_response(response) == 41


def json_request(code, name="f", **fields):
    return {
        "input": {
            "function_name": name,
            "function_code": code,
            "serialization_format": "json",
            **fields,
        }
    }


def eventually(condition):
    """Polls for as long as a busy machine may need."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(job):
    eventually(lambda: job.status() not in ("IN_QUEUE", "IN_PROGRESS"))
    return job._fetch_job()


HELD = """
import os, time
def f(path):
    while os.path.exists(path): time.sleep(0.01)
    return 7
"""


def hold(tmp_path):
    """A request that is at work until `release` removes the file it waits for."""
    lasting = tmp_path / "lasting"
    lasting.touch()
    return json_request(HELD, args=[str(lasting)]), lasting.unlink


def occupy_both_slots(tmp_path):
    """The worker under test runs two jobs at once."""
    request, release = hold(tmp_path)
    jobs = [endpoint.run(request) for _ in range(2)]
    eventually(lambda: all(job.status() == "IN_PROGRESS" for job in jobs))
    return jobs, release


def test_endpoint_run_sync_and_response_model():
    output = endpoint.run_sync(
        json_request("def f(a):\n    print('hi')\n    return [a, None]", args=[1])
    )
    response = FunctionResponse(**output)
    assert (response.success, response.json_result, response.stdout) == (
        True,
        [1, None],
        "hi\n",
    )


def test_endpoint_run_status_output(tmp_path):
    request, release = hold(tmp_path)
    job = endpoint.run(request)
    assert job.status() in ("IN_QUEUE", "IN_PROGRESS")
    release()
    assert job.output(timeout=60)["json_result"] == 7
    assert job.status() == "COMPLETED"


def test_failed_job():
    job = endpoint.run(json_request("def f():\n    raise ValueError('no')"))
    state = ended(job)
    assert state["status"] == "FAILED"
    assert state["error"].startswith("no\n")
    assert "error" not in state["output"]


def test_cancel_ends_the_python_code_and_frees_the_slot():
    jobs = [endpoint.run(json_request("def f():\n    while True: pass")) for _ in range(2)]
    eventually(lambda: all(job.status() == "IN_PROGRESS" for job in jobs))
    for job in jobs:
        assert job.cancel()["status"] == "CANCELLED"
    # They would keep both slots for ever.
    output = endpoint.run_sync(json_request("def f():\n    return 1"), timeout=60)
    assert output["json_result"] == 1


def test_cancel_of_a_queued_job(tmp_path):
    running, release = occupy_both_slots(tmp_path)
    queued = endpoint.run(json_request("def f(): return 1"))
    assert queued.cancel()["status"] == "CANCELLED"
    release()
    for job in running:
        job.output(timeout=60)
    assert queued.status() == "CANCELLED"


def test_execution_timeout_and_ttl():
    slow = json_request("import time\ndef f():\n    time.sleep(600)")
    timed_out = endpoint.run({**slow, "policy": {"executionTimeout": 200}})
    endpoint.run({**slow, "policy": {"executionTimeout": 200}})
    expired = endpoint.run({**json_request("def f(): return 1"), "policy": {"ttl": 50}})
    assert ended(timed_out)["status"] == "TIMED_OUT"
    assert ended(expired)["status"] == "TIMED_OUT"
    assert "executionTimeout" in timed_out._fetch_job()["error"]


def test_health_and_purge(tmp_path):
    running, release = occupy_both_slots(tmp_path)
    for _ in range(3):
        endpoint.run(json_request("def f(): return 1"))
    assert endpoint.health()["jobs"]["inQueue"] == 3
    assert endpoint.purge_queue()["removed"] == 3
    release()
    for job in running:
        job.output(timeout=60)
    assert endpoint.health()["jobs"]["inQueue"] == 0


def test_stream_of_a_job_ends():
    job = endpoint.run(json_request("def f(): return 1"))
    assert list(job.stream()) == []


def test_webhook():
    received = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(
                json.loads(self.rfile.read(int(self.headers["content-length"])))
            )
            # The first call fails: it must be tried again.
            self.send_response(500 if len(received) == 1 else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/done"
    endpoint.run_sync({**json_request("def f(): return 5"), "webhook": url})
    eventually(lambda: len(received) >= 2)
    server.shutdown()
    assert len(received) == 2
    assert received[1]["status"] == "COMPLETED"
    assert received[1]["output"]["json_result"] == 5
