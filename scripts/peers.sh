# shellcheck shell=bash
# Installs the peers of `make bench` into target/bench: FastAPI, Celery, BullMQ, and asynq where Go and its
# modules are available. Sourced by bench.sh, never run.
#
# A peer that cannot be installed is left out: the reason is in target/bench/<name>.missing and in the table.

sources=$PWD/tests/bench/peers
peers=$PWD/target/bench

# install_peer NAME LIST COMMAND...: once for each content of LIST.
install_peer() {
    local name=$1 list=$sources/$1/$2
    shift 2
    local stamp=$peers/$name/installed.txt log=$peers/$name.log
    cmp -s "$list" "$stamp" && return
    say "installing into target/bench/$name"
    rm -rf "${peers:?}/$name" "$peers/$name.missing"
    mkdir -p "$peers/$name"
    if "$@" >"$log" 2>&1; then
        cp "$list" "$stamp"
        return
    fi
    say "$name cannot be installed and is left out; its output: target/bench/$name.log"
    rm -rf "${peers:?}/$name"
    printf 'it could not be installed\n' >"$peers/$name.missing"
}

python_packages() {
    python3 -m venv "$peers/$1" &&
        "$peers/$1/bin/pip" install --disable-pip-version-check -r "$sources/$1/requirements.txt"
}

npm_packages() {
    cp "$sources/bullmq"/{package.json,package-lock.json,.npmrc,queue.js} "$peers/bullmq/" &&
        (cd "$peers/bullmq" && npm ci --no-audit --no-fund)
}

go_program() {
    cp "$sources/asynq"/{go.mod,main.go} "$peers/asynq/" &&
        (cd "$peers/asynq" && timeout 120 go mod tidy && timeout 300 go build -o asynq .)
}

install_peers() {
    mkdir -p "$peers"
    install_peer fastapi requirements.txt python_packages fastapi
    install_peer celery requirements.txt python_packages celery
    install_peer bullmq package-lock.json npm_packages
    cp "$sources/bullmq/queue.js" "$peers/bullmq/" 2>/dev/null || true
    if ! command -v go >/dev/null; then
        printf 'there is no Go toolchain here\n' >"$peers/asynq.missing"
        return
    fi
    install_peer asynq go.mod go_program
    if [[ -e $peers/asynq.missing ]]; then
        printf 'its Go modules cannot be fetched here\n' >"$peers/asynq.missing"
    fi
}
