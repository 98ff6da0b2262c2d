-- wrk: one small FunctionRequest over and over, FLASH_BENCH_BODY or the one below.
wrk.method = "POST"
wrk.body = os.getenv("FLASH_BENCH_BODY") or '{"function_name":"add","function_code":"def add(a, b):\\n    return a + b","args":["gAVLBS4=","gAVLAy4="],"kwargs":{}}'
wrk.headers["Content-Type"] = "application/json"
