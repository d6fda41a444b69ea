#!/usr/bin/env bash
# Compares the service with its alternatives and writes docs/BENCHMARKS.md. Takes a quarter of an hour on two
# idle cores, plus the first build and installation.
#   BENCH_ROUNDS=3 BENCH_SECONDS=5     rounds of each side (7 where wrk makes the load), and the length of
#                                      one round of load
#   BENCH_JOBS BENCH_DEPTH BENCH_DOCUMENTS BENCH_LISTENERS   sizes: tests/bench/src/scale.rs
#   BENCH_ROWS=poll,drain              only these rows: poll post latency start drain depth pipeline
#                                      memory corpus, and hot for Criterion's
# With any of them set, the page goes to target/bench/BENCHMARKS.md instead.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
source scripts/peers.sh

scripts/install.sh bench
install_peers

output=docs/BENCHMARKS.md
if compgen -e BENCH_ >/dev/null; then
    output=target/bench/BENCHMARKS.md
fi
export BENCH_PEERS=$peers BENCH_OUTPUT=$PWD/$output CRITERION_HOME=$peers/criterion

say "building for release"
cargo build --quiet --locked --release -p privachat-api -p privachat-worker -p privachat-bench
if [[ -z ${BENCH_ROWS-} || ,$BENCH_ROWS, == *,hot,* ]]; then
    rm -rf "$CRITERION_HOME"
    cargo bench --quiet --locked -p privachat-bench --bench hot
fi
target/release/privachat-bench table
