-- wrk: one small FunctionRequest over and over.
wrk.method = "POST"
wrk.body = '{"function_name":"add","function_code":"def add(a, b):\\n    return a + b","args":["gAVLBS4=","gAVLAy4="],"kwargs":{}}'
wrk.headers["Content-Type"] = "application/json"
