"""The load-balancer stub of `runpod_flash` against a running lb-app."""

import asyncio
import os
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


def meet(directory, count):
    import os
    import time
    import uuid

    open(os.path.join(directory, uuid.uuid4().hex), "x").close()
    end = time.monotonic() + 60
    while len(os.listdir(directory)) < count:
        if time.monotonic() > end:
            raise TimeoutError("the others do not come")
        time.sleep(0.01)
    return "met"


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


def test_calls_at_the_same_time(tmp_path):
    # None of them ends before all have begun.
    async def all_of_them():
        return await asyncio.gather(
            *(stub(meet, None, None, True, str(tmp_path), 8) for _ in range(8))
        )

    assert asyncio.run(all_of_them()) == ["met"] * 8
