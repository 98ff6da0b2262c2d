"""The platform's own client, through the gateway, to a worker that came over HTTP with a handler of its own."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import runpod

runpod.api_key = "local"
endpoint = runpod.Endpoint("ep")


def finished(job, timeout=60):
    end = time.monotonic() + timeout
    while job.status() not in ("COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"):
        assert time.monotonic() < end, job.status()
        time.sleep(0.05)
    return job


def test_run_sync():
    assert endpoint.run_sync({"input": {"do": "echo", "value": {"ü": 1}}}) == {"ü": 1}


def test_run():
    job = endpoint.run({"input": {"do": "echo", "value": 7}})
    assert finished(job).status() == "COMPLETED"
    assert job.output() == 7


def test_error():
    job = finished(endpoint.run({"input": {"do": "fail"}}))
    assert job.status() == "FAILED"
    assert json.loads(job._fetch_job()["error"])["error_message"] == "it broke"


def test_stream():
    job = endpoint.run({"input": {"do": "stream", "count": 20}})
    assert list(job.stream()) == [{"i": index} for index in range(20)]
    assert finished(job).status() == "COMPLETED"


def test_progress(tmp_path):
    # The job ends when its progress was seen.
    lasting = tmp_path / "unseen"
    lasting.touch()
    job = endpoint.run({"input": {"do": "progress", "while": str(lasting)}})
    end = time.monotonic() + 60
    while job._fetch_job().get("output") != "half":
        assert time.monotonic() < end, job.status()
        time.sleep(0.02)
    lasting.unlink()
    finished(job)
    assert job.output() == "whole"


def test_cancel():
    job = endpoint.run({"input": {"do": "loop"}})
    while job.status() != "IN_PROGRESS":
        time.sleep(0.02)
    job.cancel()
    assert finished(job).status() == "CANCELLED"
    # The loop would keep the only place for ever.
    assert endpoint.run_sync({"input": {"do": "echo", "value": 1}}, timeout=60) == 1


@pytest.mark.parametrize("path", ["run", "runsync"])
def test_webhook(path):
    received = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    body = {"input": {"do": "echo", "value": "hook"}, "webhook": f"http://127.0.0.1:{server.server_port}/"}
    endpoint.rp_client.post(f"ep/{path}", body)
    end = time.monotonic() + 60
    while not received and time.monotonic() < end:
        time.sleep(0.02)
    server.shutdown()
    assert [(view["status"], view["output"]) for view in received] == [("COMPLETED", "hook")]
