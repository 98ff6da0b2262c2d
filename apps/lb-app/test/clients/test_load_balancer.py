"""The load-balancer stub of `runpod_flash` against a running lb-app."""

import asyncio
import os
import time
from types import SimpleNamespace

import pytest
from runpod_flash.stubs.load_balancer_sls import LoadBalancerSlsStub

url = os.environ["LB_URL"]
stub = LoadBalancerSlsStub(SimpleNamespace(name="lb", endpoint_url=url))


def call(function, *args, dependencies=None, **kwargs):
    return asyncio.run(stub(function, dependencies, None, True, *args, **kwargs))


def add(a, b):
    return a + b


async def later(a):
    import asyncio

    await asyncio.sleep(0.01)
    return {"a": a}


def fail():
    raise KeyError("missing")


def nap(seconds):
    import time

    time.sleep(seconds)
    return seconds


def greet(name):
    import humanize

    return humanize.intcomma(name)


def test_functions():
    assert call(add, 2, b=3) == 5
    assert call(later, [1]) == {"a": [1]}


def test_none_is_a_result():
    assert call(lambda_none) is None


def lambda_none():
    return None


def test_error():
    with pytest.raises(Exception, match="missing"):
        call(fail)


def test_dependencies():
    assert call(greet, 12345, dependencies=["humanize==4.12.3"]) == "12,345"


def test_large_argument():
    blob = os.urandom(7 * 1024 * 1024)
    assert call(add, blob, b"") == blob


def test_calls_at_the_same_time():
    async def all_of_them():
        return await asyncio.gather(
            *(stub(nap, None, None, True, 1.0) for _ in range(8))
        )

    started = time.monotonic()
    assert asyncio.run(all_of_them()) == [1.0] * 8
    # One after the other they take 8 s.
    assert time.monotonic() - started < 6
