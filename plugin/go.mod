module extism-napi/plugin

go 1.24

// The Go that built simple.wasm; build.sh builds with no other.
toolchain go1.26.8

require github.com/extism/go-pdk v1.1.3
