#!/usr/bin/env bash
# Everything there is to fuzz, each for some seconds: fuzz/all.sh SECONDS
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:?usage: fuzz/all.sh SECONDS}
./run.sh "$seconds"
node differential.js --seconds "$seconds"
node manifest.js --seconds "$seconds"
