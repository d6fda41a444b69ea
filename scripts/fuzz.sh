#!/usr/bin/env bash
# Searches for rare faults: every property test with many new cases. A failing case is printed with
# its seed and written under proptest-regressions, from where every later run takes it first: fix the
# fault, commit that file, and add the case as a plain test.
# Then schemathesis with new requests; a failing one is printed as a curl command.
#   PROPTEST_CASES=5000        cases of each property
#   PROPTEST_RNG_SEED=number   the cases of an earlier run
#   SCHEMAS_EXAMPLES=200       requests to each operation of the API
#   SCHEMAS_SEED=number        the requests of an earlier run
#   scripts/fuzz.sh [part of a test's name]
set -euo pipefail
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-$(date +%s%N)}
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

export PROPTEST_CASES=${PROPTEST_CASES:-5000}
# The number of cases that a property rejects grows with the cases.
export PROPTEST_MAX_GLOBAL_REJECTS=$((PROPTEST_CASES * 10))

export SCHEMAS_SEED=${SCHEMAS_SEED:-$PROPTEST_RNG_SEED}
export SCHEMAS_EXAMPLES=${SCHEMAS_EXAMPLES:-200}

# Runs the tests of module $1 of the suite; with $2, those with $2 in their names. With two filters,
# libtest would run the tests that match either.
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
