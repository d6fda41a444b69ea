#!/usr/bin/env bash
# What CI runs: the quick checks first, the tests last.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

tools=target/tools/bin
step() { printf '\n== %s (at %d s)\n' "$*" "$SECONDS"; }

scripts/install.sh test check

step "format"
cargo fmt --all --check

step "shell scripts"
shellcheck --external-sources --source-path=SCRIPTDIR .ci/run scripts/*.sh scripts/*/*.sh scripts/compose/stand-ins/*.sh deploy/*.sh

step "deploy files"
scripts/deploy.sh

step "dependencies: licences, bans, sources"
cargo fetch --locked
"$tools/cargo-deny" --offline --locked check --hide-inclusion-graph bans licenses sources

step "dependencies: advisories"
scripts/advisories.sh

step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

step "documentation of the code"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

step "tests"
scripts/test.sh
step "all checks passed"
