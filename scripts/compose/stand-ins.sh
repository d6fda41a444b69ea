#!/usr/bin/env bash
# Provides each missing image of the deployment: pulled if a registry answers, otherwise a stand-in made of Debian
# packages (stand-ins/Dockerfile). Runs as root, for debootstrap.
#   scripts/compose/stand-ins.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

folder=scripts/compose/stand-ins
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

is_here() { docker image inspect "$1" >/dev/null 2>&1; }

# The first image name after a word in a file.
named() { sed -n "s/^ *$1 \(\S*$2\S*\).*/\1/p" "$3" | head -n 1; }

debian() {
    is_here stand-in:debian && return
    command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
    say "making Debian trixie with debootstrap"
    debootstrap --variant=minbase --include=ca-certificates trixie "$scratch/debian" >"$scratch/log" 2>&1 ||
        { tail -n 5 "$scratch/log" >&2; die "debootstrap failed"; }
    tar -C "$scratch/debian" -c . | docker import - stand-in:debian >/dev/null
}

context() {
    mkdir -p "$scratch/context/cargo" "$scratch/context/toolchain"
    cp "$folder"/* "$scratch/context/"
    cp /etc/ssl/certs/ca-certificates.crt "$scratch/context/certificates.crt"
    if [[ $1 == rust ]]; then
        local root config
        root=$(rustc --print sysroot) || die "the stand-in for the image of Rust copies the Rust of this machine: install Rust"
        cp -al "$root/bin" "$root/lib" "$scratch/context/toolchain/" 2>/dev/null ||
            cp -a "$root/bin" "$root/lib" "$scratch/context/toolchain/"
        config=${CARGO_HOME:-$HOME/.cargo}/config.toml
        if [[ -e $config ]]; then cp "$config" "$scratch/context/cargo/"; fi
    fi
}

stand_in() {
    local image=$1 target=$2
    [[ -n $image ]] || die "no file names an image for $target"
    if is_here "$image"; then return; fi
    if timeout 60 docker pull --quiet "$image" >/dev/null 2>&1; then
        say "pulled $image"
        return
    fi
    debian
    if [[ $target == debian ]]; then
        docker tag stand-in:debian "$image"
    else
        rm -rf "$scratch/context"
        context "$target"
        # With the older builder, which every engine has.
        DOCKER_BUILDKIT=0 docker build --target "$target" -t "$image" "$scratch/context" >"$scratch/log" 2>&1 ||
            { tail -n 20 "$scratch/log" >&2; die "no stand-in for $image could be made"; }
    fi
    say "made a stand-in for $image"
}

stand_in "$(named FROM debian: deploy/Dockerfile)" debian
stand_in "$(named FROM rust: deploy/Dockerfile)" rust
for target in redis postgres searxng caddy; do
    stand_in "$(named image: "$target" docker-compose.yml)" "$target"
done
