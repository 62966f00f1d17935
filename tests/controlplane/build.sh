#!/usr/bin/env bash
# Builds the tools that go.mod names (the control plane, helm, kwok, an OCI
# registry) and prints the folder that holds them. Needs Go and git, nothing else.
#
# The folder lies outside the checkout and is named after what goes into it, so
# that clones and branches share it and a version change makes a new one.
#   BELAY_CACHE   where to keep it (default: $XDG_CACHE_HOME/belay or ~/.cache/belay)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${BELAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/belay}
hash=$(cat go.mod go.sum build.sh | git hash-object --stdin)
tools=$cache/controlplane-${hash:0:16}

say() { echo "controlplane: $*" >&2; }
done_already() {
    [ -d "$tools" ] || return 1
    echo "$tools"
    exit 0
}

done_already || true
mkdir -p "$cache"

# Two builds at once would share two cores and twice the memory. Where there is
# no flock the rename below still keeps the result whole.
if command -v flock >/dev/null; then
    exec 9>"$tools.lock"
    flock --nonblock 9 || { say "another build is under way, waiting for it"; flock 9; }
    done_already || true
    rm -rf "$cache"/building-* # of a build that was killed
fi

version() { go list -m -f '{{.Version}}' "$1"; }
kubernetes=$(version k8s.io/kubernetes)
helm=$(version helm.sh/helm/v4)
IFS=. read -r major minor _ <<<"${kubernetes#v}"

# Unstamped binaries call themselves v0.0.0 and every chart with a kubeVersion
# refuses them.
flags="-s -w -X helm.sh/helm/v4/internal/version.version=$helm"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=$major -X $package.gitMinor=$minor"
    flags+=" -X $package.gitTreeState=clean"
done

say "building Kubernetes $kubernetes, Helm $helm, etcd, kwok and an OCI registry into $tools"
say "the first time this takes about 6 minutes on 2 cores; it is done once"
started=$SECONDS
building=$(mktemp -d "$cache/building-XXXXXX")
trap 'rm -rf "$building"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# One after the other, so that there is something to see.
for tool in $(go list -f '{{.ImportPath}}' tool); do
    name=${tool##*/}
    case $tool in go.etcd.io/etcd/server/v3) name=etcd ;; esac
    say "  $name"
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "$flags" -o "$building/$name" "$tool"
done
chmod 755 "$building"

[ -d "$tools" ] || mv "$building" "$tools"
say "built in $((SECONDS - started)) s"
echo "$tools"
