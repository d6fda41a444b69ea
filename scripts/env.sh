# shellcheck shell=bash
# The start of every script here: the project's folder, cargo on the PATH, say and die. Sourced, never run.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# rustup puts cargo on the PATH of login shells only.
if ! command -v cargo >/dev/null && [[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo ]]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi
export PATH

# The property tests choose the same cases each time, so that the result depends on the commit alone;
# scripts/fuzz.sh tries other cases.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-20261124}

say() { printf '%s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
