module extism-napi/bench/compute

go 1.24
