#!/usr/bin/env bash
# Builds the fuzz targets and runs each, or the one that is named, for some seconds.
#
#   fuzz/run.sh SECONDS [TARGET]
#
# With SEED in the environment it does the same each time, as far as it comes.
# It needs nothing but cargo and a C++ compiler: what `cargo fuzz` sets, beside a sanitizer, are
# flags that stable knows as well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET]}
targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ]; then targets=(module manifest store); fi

# With a target of its own, cargo keeps the flags from build scripts and macros.
host=$(rustc -vV | sed -n 's/^host: //p')
flags=(
  --cfg fuzzing
  -Ccodegen-units=1
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
)
RUSTFLAGS="${flags[*]}" cargo build --release --locked --target "$host" --bins

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for target in "${targets[@]}"; do
  # What is found goes to the first folder; the one that is committed is only read.
  found=target/corpus/$target
  mkdir -p "$found" "artifacts/$target"
  if ! "target/$host/release/$target" "$found" "corpus/$target" \
    -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" \
    -seed="${SEED:-0}" -max_len=8192 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 >"$log" 2>&1; then
    tail -n 60 "$log"
    echo "fuzz/run.sh: $target failed." >&2
    exit 1
  fi
  executions=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
  echo "$target: ${executions:-0} executions, $(sed -n 's/^stat::average_exec_per_sec: *//p' "$log") per second"
  if [ "${executions:-0}" -eq 0 ]; then
    echo "fuzz/run.sh: $target has run nothing." >&2
    exit 1
  fi
done
