# shellcheck shell=bash
# What every script here starts with: the project's folder, cargo on the PATH, two ways to speak.
# Sourced, never run.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# rustup puts cargo where only a login shell looks.
if ! command -v cargo >/dev/null && [[ -x ${CARGO_HOME:-$HOME/.cargo}/bin/cargo ]]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi
export PATH

# The property tests choose the same cases each time, so that a commit is green or red whoever runs it;
# scripts/fuzz.sh looks for others.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-20261124}

say() { printf '%s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
