#!/usr/bin/env bash
# Builds simple.wasm from main.go, the same bytes in every checkout.
# With --check it changes nothing and fails when the committed file differs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

die() {
  echo "plugin/build.sh: $*" >&2
  exit 1
}

case $# in
  0) ;;
  1) [ "$1" = --check ] || die "unknown argument '$1', there is only --check." ;;
  *) die "too many arguments, there is only --check." ;;
esac

pinned=$(sed -n 's/^toolchain //p' go.mod)
command -v go >/dev/null || die "Go is not installed, and building the plugin needs it ($pinned, or a Go from 1.21 on that can fetch it)."

# Another Go fetches the pinned one, up or down, unless it is set to stay local.
[ "$(go env GOTOOLCHAIN)" = local ] || export GOTOOLCHAIN=$pinned
actual=$(go env GOVERSION) || die "$pinned, which builds the plugin, could not be started."
[ "$actual" = "$pinned" ] || die "simple.wasm is built with $pinned, this is $actual and GOTOOLCHAIN=local keeps it from fetching that; try GOTOOLCHAIN=$pinned."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Whatever could reach the bytes from outside is set or unset here: paths,
# version control, the builder's own flags and experiments, the build id.
unset GODEBUG GOEXPERIMENT GOFIPS140 GOWASM
GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly \
  go build -buildmode=c-shared -trimpath -buildvcs=false -ldflags='-s -w -buildid=' \
  -o "$scratch/simple.wasm" .

if [ $# = 0 ]; then
  install -m 644 "$scratch/simple.wasm" simple.wasm
elif ! cmp -s "$scratch/simple.wasm" simple.wasm; then
  die "simple.wasm is not what main.go builds with $pinned; run plugin/build.sh and commit the result."
fi
