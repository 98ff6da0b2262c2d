"""A deployed function and a deployed class, called as the newest clients do: python sentinel.py DATA_PLANE."""

import asyncio
import sys

import runpod
from runpod_flash.flash_sentinel import sentinel_qb_class_execute, sentinel_qb_execute
from runpod_flash.protos.remote_execution import FunctionRequest

runpod.api_key = "key"
runpod.endpoint_url_base = sys.argv[1]


def add(a, b=1): ...


async def main():
    assert await sentinel_qb_execute("sample", "prod", "adder", add, 4, b=5) == {"sum": 9, "text": "hello from adder"}
    request = FunctionRequest(execution_type="class", class_name="Counter", method_name="add")
    assert await sentinel_qb_class_execute("sample", "prod", "counter", request) == 1
    try:
        await sentinel_qb_execute("sample", "prod", "adder", add, "x")
    except RuntimeError as error:
        assert "remote execution failed" in str(error), error
    else:
        raise AssertionError("it should have failed")


asyncio.run(main())
print("all is well")
