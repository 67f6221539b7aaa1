#!/usr/bin/env bash
# Everything there is to fuzz, each for some seconds: fuzz/all.sh SECONDS [SEED]. With a seed it
# does the same each time, as far as it comes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:?usage: fuzz/all.sh SECONDS}
seed=(${2:+--seed "$2"})
SEED=${2:-} ./run.sh "$seconds"
node differential.js --seconds "$seconds" "${seed[@]}"
node manifest.js --seconds "$seconds" "${seed[@]}"
