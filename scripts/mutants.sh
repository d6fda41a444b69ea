#!/usr/bin/env bash
# Removes safeguards of the job engine, one at a time, in a copy of the working tree, and expects a test to
# fail. Fails if a mutant survives, or if the text of a safeguard is not found.
#   scripts/mutants.sh [part of a mutant's name]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

only=${1-}
root=$PWD
tree=$root/target/mutants/tree
jobs=crates/core/src/jobs
export CARGO_TARGET_DIR=$root/target/mutants/build
# Mutants need no debug information, and link faster without it.
export CARGO_PROFILE_DEV_DEBUG=false

# A mutant: its name, its file, a text that occurs there exactly once, its replacement, and then the tests
# that must notice: test files with a filter each, the fastest first.
mutant() {
    local IFS=$'\x1f'
    mutants+=("$*")
}
mutants=()

mutant "finish without the nonce test" $jobs/scripts/finish.lua \
    "known[2] ~= ARGV[1]" "false" model:
mutant "heartbeat without the nonce test" $jobs/scripts/beat.lua \
    " or known[2] ~= ARGV[1]" "" model:
mutant "report without the nonce test" $jobs/scripts/report.lua \
    " or known[2] ~= ARGV[1]" "" model:
mutant "claim without the nonce test" $jobs/scripts/claim.lua \
    "known[2] ~= ARGV[1]" "false" model:
mutant "fail without the nonce test" $jobs/scripts/fail.lua \
    "field('nonce') ~= ARGV[1]" "false" model:
mutant "release without the nonce test" $jobs/scripts/release.lua \
    " or field('nonce') ~= ARGV[1]" "" model:
mutant "fail counts its repeat" $jobs/scripts/fail.lua \
    "field('given_back') == 'fail ' .. ARGV[1]" "false" claims:asked_for_twice
mutant "release counts its repeat" $jobs/scripts/release.lua \
    "field('given_back') == 'release ' .. ARGV[1]" "false" claims:asked_for_twice
mutant "report writes its repeat" $jobs/scripts/report.lua \
    "number > told" "true" claims:reported_twice
mutant "a claim goes on counting events" $jobs/scripts/claim.lua \
    "'HDEL', KEYS[2], 'given_back', 'told')" "'HDEL', KEYS[2], 'given_back')" claims:reported_twice
mutant "finish overlooks a cancel" $jobs/scripts/finish.lua \
    "if known[3] then" "if false then" claims:cancelled
mutant "claim does not wait until a search is due" $jobs/scripts/claim.lua \
    "not_before > now" "false" claims:next_attempt
mutant "no limit to crashes" $jobs/scripts/look.lua \
    "crashes > tonumber(ARGV[1])" "false" model:
mutant "every loss is charged as a crash" $jobs/scripts/look.lua \
    "  if lost == '' then" "  if true then" losses:suspects
mutant "a loss beside others is never charged" $jobs/scripts/look.lua \
    "  if #both == 0 then" "  if false then" losses:crashed_both
mutant "no limit to losses" $jobs/scripts/look.lua \
    " or crashes + losses > tonumber(ARGV[11])" "" losses:given_up_at_last
mutant "a claim does not store its process" $jobs/scripts/claim.lua \
    "'holder', ARGV[1] .. ' ' .. ARGV[6], " "" losses:no_company
mutant "searches lost together are not stored" $jobs/scripts/lost.lua \
    "redis.call('SADD', KEYS[1], is_full and '+' or ARGV[i])" "" losses:leases_end_later
mutant "a suspect is claimed beside any number" $jobs/scripts/claim.lua \
    "losses > tonumber(ARGV[7])" "false" losses:made_room
mutant "a worker does not limit the searches beside a suspect" crates/worker/src/daemon/slots.rs \
    "1 => all.div_ceil(SUSPECTS)," "_ => 1," poison:in_one_worker
mutant "a wrong type is an outage" $jobs/error.rs \
    "return Self::Damaged(error);" "return Self::Unavailable(error);" damaged:one_key
mutant "keys of a wrong type are not set aside" $jobs/scripts/mend.lua \
    "is ~= 'none' and is ~= should_be" "false" damaged:one_key
mutant "malformed ids stay in their lists" $jobs/ids.rs \
    "self.query_in::<u64>(Scope::Queues, &command).await?;" "" damaged:leave_every_list
mutant "the heartbeat does not renew the lease" $jobs/scripts/beat.lua \
    "redis.call('HSET', KEYS[2], 'lease', now_ms() + ARGV[2])" "" recovery_network:slow_network
mutant "accept does not number its queue entry" $jobs/scripts/accept.lua \
    "redis.call('ZADD', pending, unpack(numbers))" "" recovery_network:lost_on_its_way
mutant "waiting submissions time out one after the other" $jobs/group.rs \
    "Waits::WithItsCaller if is_away => caller.group.all()," "" together:silent
mutant "a submission whose caller has gone is sent" $jobs/group.rs \
    "if waits == Waits::WithItsCaller {" "if false {" together:not_wanted
mutant "no outage grace" $jobs/amnesty.rs \
    "until = Some(Instant::now() + self.lease);" "until = None;" \
    recovery_redis:started_twice
mutant "the client's response timeout on a blocking connection" crates/core/src/connection/node.rs \
    "
            .set_response_timeout(None)" "" idle:waits_without_a_warning
mutant "no watchdog over the pop" $jobs/take.rs \
    "BLOCK + WATCHDOG," "BLOCK * 1000 + WATCHDOG," idle:never_answered
mutant "a cancel is not published" $jobs/scripts/cancel.lua \
    "redis.call('PUBLISH', ARGV[4], ARGV[5])" "" cancel:without_waiting_for_a_heartbeat

copy() {
    rm -rf "$tree"
    mkdir -p "$tree"
    # The files that git knows or would add: no build, no data.
    git ls-files --cached --others --exclude-standard --deduplicate |
        while IFS= read -r file; do [[ ! -f $file ]] || printf '%s\n' "$file"; done |
        tar --create --files-from=- | tar --extract --directory="$tree"
    # The built dependencies are the same; hard links to them cost nothing.
    if [[ ! -d $CARGO_TARGET_DIR/debug && -d target/debug ]]; then
        mkdir -p "$CARGO_TARGET_DIR/debug"
        cp -al target/debug/{deps,build,.fingerprint} "$CARGO_TARGET_DIR/debug/"
    fi
}

# Replaces $2 by $3 in file $1, which must contain it exactly once.
replace() {
    local text rest
    text=$(<"$1")
    rest=${text//"$2"/}
    ((${#text} - ${#rest} == ${#2})) ||
        die "$1 does not contain this exactly once; correct scripts/mutants.sh: $2"
    printf '%s\n' "${text/"$2"/"$3"}" >"$1"
}

# Prints the test that failed, and nothing if all passed.
noticed() {
    local by check log=$root/target/mutants/last.log
    for check in "$@"; do
        if ! cargo test --quiet --locked -p privachat-tests --test "${check%%:*}" --no-run >"$log" 2>&1; then
            tail -n 30 "$log" >&2
            die "the mutant does not compile"
        fi
        if ! cargo test --locked -p privachat-tests --test "${check%%:*}" -- "${check#*:}" >"$log" 2>&1; then
            # The list at the end, because other lines may be output of a failed test's servers.
            by=$(sed -n '/^failures:$/,$s/^    \([a-z_:]*\)$/\1/p' "$log" | tail -n 1)
            printf '%s\n' "${by:-${check%%:*}}"
            return
        fi
        grep -q '^test result: ok. [1-9]' "$log" || die "no test matches ${check}"
    done
}

scripts/install.sh test
copy
cd "$tree"
checks=()
for fields in "${mutants[@]}"; do
    IFS=$'\x1f' read -r -d '' -a part < <(printf '%s\x1f\0' "$fields") || true
    [[ ${part[0]} == *"$only"* ]] || continue
    checks+=("${part[@]:4}")
    # The build may contain a mutant of the last run.
    touch "${part[1]}"
done
((${#checks[@]})) || die "no mutant has this in its name: $only"
mapfile -t checks < <(printf '%s\n' "${checks[@]}" | sort -u)
by=$(noticed "${checks[@]}")
[[ -z $by ]] || die "fails without any mutant: $by"
say "all tests pass without a mutant, after $SECONDS s"

survivors=0
printf '%-58s %5s  %s\n' mutant s "noticed by"
for fields in "${mutants[@]}"; do
    IFS=$'\x1f' read -r -d '' -a part < <(printf '%s\x1f\0' "$fields") || true
    [[ ${part[0]} == *"$only"* ]] || continue
    begun=$SECONDS
    cp "${part[1]}" ../original
    replace "${part[1]}" "${part[2]}" "${part[3]}"
    by=$(noticed "${part[@]:4}")
    # With a new time stamp, so that cargo notices the change.
    cat ../original >"${part[1]}"
    [[ -n $by ]] || survivors=$((survivors + 1))
    printf '%-58s %5d  %s\n' "${part[0]}" $((SECONDS - begun)) "${by:-NO TEST: IT SURVIVES}"
done
say "all of them after $SECONDS s"
((survivors == 0)) || die "$survivors mutants survive"
