#!/usr/bin/env bash
# Builds Prometheus and prints its path. Needs Go, nothing else.
#
# It lies outside the checkout, in a folder named after what goes into it, as the
# tools of ../controlplane do; BELAY_CACHE says where.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${BELAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/belay}
hash=$(cat go.mod go.sum build.sh | git hash-object --stdin)
folder=$cache/prometheus-${hash:0:16}

done_already() {
    [ -x "$folder/prometheus" ] || return 1
    echo "$folder/prometheus"
    exit 0
}

done_already || true
mkdir -p "$cache"
if command -v flock >/dev/null; then
    exec 9>"$folder.lock"
    flock 9
    done_already || true
fi

tool=github.com/prometheus/prometheus/cmd/prometheus
version=$(go list -m -f '{{.Version}}' github.com/prometheus/prometheus)
echo "prometheus: building Prometheus $version into $folder; once, about 2 minutes on 2 cores" >&2
building=$(mktemp -d "$cache/prometheus-building-XXXXXX")
trap 'rm -rf "$building"' EXIT
# Without what finds targets in clouds, which is most of what it depends on, and without pages for people: targets stand
# in the configuration, and it is asked through its API.
CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags remove_all_sd -ldflags "-s -w" -o "$building/prometheus" "$tool"
chmod 755 "$building"
[ -d "$folder" ] || mv "$building" "$folder"
echo "$folder/prometheus"
