#!/usr/bin/env bash
# Builds the oracle, and the program health beside it, and prints the oracle's path. Needs Go, nothing else.
#
# It lies outside the checkout, in a folder named after what goes into it, as the
# tools of ../controlplane do; BELAY_CACHE says where.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${BELAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/belay}
hash=$(cat go.mod go.sum main.go health/main.go build.sh | git hash-object --stdin)
folder=$cache/oracle-${hash:0:16}

done_already() {
    [ -x "$folder/oracle" ] && [ -x "$folder/health" ] || return 1
    echo "$folder/oracle"
    exit 0
}

done_already || true
mkdir -p "$cache"
if command -v flock >/dev/null; then
    exec 9>"$folder.lock"
    flock 9
    done_already || true
fi

echo "oracle: building Helm's engine into $folder; once, about a minute" >&2
building=$(mktemp -d "$cache/oracle-building-XXXXXX")
trap 'rm -rf "$building"' EXIT
# Stamped as ../controlplane stamps helm: templates can print these.
version() { go list -m -f '{{.Version}}' "$1"; }
flags="-s -w -X helm.sh/helm/v4/internal/version.version=$(version helm.sh/helm/v4)"
flags+=" -X k8s.io/client-go/pkg/version.gitVersion=$(version k8s.io/client-go | sed 's/^v0/v1/')"
CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$flags" -o "$building/oracle" .
CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$building/health" ./health
chmod 755 "$building"
[ -d "$folder" ] || mv "$building" "$folder"
echo "$folder/oracle"
