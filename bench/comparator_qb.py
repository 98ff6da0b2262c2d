"""Comparator for qb-app: the platform's own SDK around the same kind of handler, as users run it."""

import base64

import cloudpickle
import runpod


def handler(job):
    request = job["input"]
    scope = {}
    exec(request["function_code"], scope)
    args = [
        cloudpickle.loads(base64.b64decode(value)) for value in request.get("args", [])
    ]
    result = scope[request["function_name"]](*args)
    return {
        "success": True,
        "result": base64.b64encode(cloudpickle.dumps(result)).decode(),
    }


runpod.serverless.start({"handler": handler})
