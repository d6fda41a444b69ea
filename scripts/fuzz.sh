#!/usr/bin/env bash
# Looks for rare faults: every property test with cases that no run had before, and many of them. A
# case that fails is printed with its seed and written under proptest-regressions, from where every
# later run takes it first: mend the fault, commit that file, and write the case down as a plain test.
# Then schemathesis, with requests that no run had before; one that fails is printed as a curl command.
#   PROPTEST_CASES=5000        cases of each property
#   PROPTEST_RNG_SEED=number   the cases of a former run
#   SCHEMAS_EXAMPLES=200       requests to each operation of the API
#   SCHEMAS_SEED=number        the requests of a former run
#   scripts/fuzz.sh [part of a test's name]
set -euo pipefail
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-$(date +%s%N)}
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

export PROPTEST_CASES=${PROPTEST_CASES:-5000}
# What a property does not speak of grows with the cases.
export PROPTEST_MAX_GLOBAL_REJECTS=$((PROPTEST_CASES * 10))

export SCHEMAS_SEED=${SCHEMAS_SEED:-$PROPTEST_RNG_SEED}
export SCHEMAS_EXAMPLES=${SCHEMAS_EXAMPLES:-200}

# Runs the tests of file $1 of the suite; with $2, those that have it in their names. Two filters of
# libtest would run the tests that fit either.
suite() {
    local list names
    list=$(cargo test --quiet --locked -p privachat-tests --test suite -- --list --format terse)
    mapfile -t names < <(sed -n "s/^\(.*::$1::.*${2-}.*\): test$/\1/p" <<<"$list")
    ((${#names[@]} == 0)) ||
        cargo test --quiet --locked -p privachat-tests --test suite -- --exact "${names[@]}"
}

scripts/install.sh test
say "PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED PROPTEST_CASES=$PROPTEST_CASES"
say "SCHEMAS_SEED=$SCHEMAS_SEED SCHEMAS_EXAMPLES=$SCHEMAS_EXAMPLES"
cargo test --quiet --locked --no-fail-fast -p privachat-core -p privachat-worker --lib -- "$@"
# A case of the job engine is a hundred calls of a real Redis.
PROPTEST_CASES=$((PROPTEST_CASES / 10)) suite state_machine "$@"
suite schema_conformance "$@"
