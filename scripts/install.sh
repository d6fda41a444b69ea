#!/usr/bin/env bash
# Installs missing requirements of the named parts: run, test, check, bench. Prints nothing if none is missing.
#   scripts/install.sh run|test|check|bench ...
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

missing=()
absent() { ! command -v "$1" >/dev/null; }
add() { missing+=("$@"); }

postgres_absent() { absent initdb && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

need_run() {
    absent cc && add gcc
    [[ -e /usr/include/stdio.h ]] || add libc6-dev
    absent redis-server && add redis-server
    absent redis-cli && add redis-tools
    absent curl && add curl
    [[ -e /etc/ssl/certs/ca-certificates.crt ]] || add ca-certificates
    return 0
}

need_test() {
    need_run
    postgres_absent && add postgresql
    # For a worker whose clock is wrong.
    absent faketime && add faketime
    # The build script reads the revision from git.
    absent git && add git
    # For the clients in examples/.
    absent node && add nodejs
    need_python
    # A browser, its driver, and a font.
    absent chromium && add chromium
    absent chromedriver && add chromium-driver
    compgen -G '/usr/share/fonts/truetype/*/*.ttf' >/dev/null || add fonts-dejavu-core
    return 0
}

need_check() {
    need_run
    absent git && add git
    absent shellcheck && add shellcheck
    absent docker-compose && add docker-compose
    # promtool.
    absent promtool && add prometheus
    need_python
}

need_bench() {
    need_run
    absent wrk && add wrk
    # For the peers.
    absent node && add nodejs
    absent npm && add npm
    need_python
}

need_python() {
    # Debian has ensurepip in python3-venv.
    python3 -c 'import ensurepip, venv' 2>/dev/null || add python3-venv
    return 0
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Debian starts a service as soon as its package is installed. Only the programs are needed here: the services
# are not started during the installation, and disabled for the next boot.
policy=/usr/sbin/policy-rc.d
hold_services() {
    [[ -e $policy ]] && return
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}
disable_services() {
    [[ -d /run/systemd/system ]] || return 0
    local package
    for package in "${missing[@]}"; do
        case $package in
            redis-server | postgresql | prometheus) as_root systemctl disable --quiet "$package" ;;
        esac
    done
}

# Waits for another apt, for example an upgrade in the background. The option covers the lock of dpkg only; for
# the lock of the package lists apt-get gives up at once.
apt_patience=600
apt_get() {
    as_root env LC_ALL=C DEBIAN_FRONTEND=noninteractive \
        apt-get -o "DPkg::Lock::Timeout=$apt_patience" -qq "$@"
}
update_lists() {
    local log=$1 deadline=$((SECONDS + apt_patience))
    until apt_get update >"$log" 2>&1; do
        grep -q 'Could not get lock' "$log" || return 1
        ((SECONDS < deadline)) || return 1
        sleep 1
    done
}

install_packages() {
    say "installing with apt-get: ${missing[*]}"
    absent apt-get && die "apt-get is missing; install these yourself: ${missing[*]}"
    if ((EUID != 0)) && absent sudo; then
        die "not root, and sudo is missing; as root: apt-get install ${missing[*]}"
    fi
    hold_services
    local log
    log=$(mktemp)
    if ! update_lists "$log" ||
        ! apt_get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "apt-get failed; its whole output: $log"
    fi
    rm -f "$log"
    disable_services
}

# Installs the packages of a list from PyPI into a folder of its own. Its programs contain the folder's path, so
# they are installed again in a checkout that was moved.
install_python() {
    local list=$1 folder=$2
    local stamp=$folder/installed.txt
    cmp -s <(cat "$list"; echo "in $PWD") "$stamp" && return
    say "installing into $folder: $(grep -v '^#' "$list" | xargs)"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --force-reinstall -r "$list"
    cp "$list" "$stamp"
    echo "in $PWD" >>"$stamp"
}

(($#)) || die "usage: scripts/install.sh run|test|check|bench ..."
absent cargo && die "cargo is missing; install Rust with rustup: https://rustup.rs"
for part in "$@"; do
    case $part in
        run | test | check | bench) "need_$part" ;;
        *) die "unknown part: $part (run, test, check, bench)" ;;
    esac
done

if ((${#missing[@]})); then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    install_packages
fi
for part in "$@"; do
    case $part in
        test)
            install_python scripts/clients.txt target/tools/clients
            install_python scripts/schemathesis.txt target/tools/schemathesis
            ;;
        check) install_python scripts/tools.txt target/tools ;;
    esac
done
