# shellcheck shell=bash
# The steps of test.sh. Sourced by it, never run.

# A folder for the files of the steps, and the port of the API.
: "${scratch:?}" "${API_PORT:?}"
base=http://127.0.0.1:$API_PORT
figures=()

step() { printf '\n== %s (at %d s)\n' "$*" "$SECONDS"; }
figure() {
    figures+=("$*")
    say "   $*"
}
report() { printf '   %s\n' "${figures[@]}"; }

# Waits until a command succeeds; if it does not in time, names what it waited for.
await() {
    local what=$1 seconds=$2
    shift 2
    local until=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < until)) || die "$what: not within $seconds s"
        sleep 0.2
    done
}

# A member of the JSON on standard input: field .answer, field '.sources[0].title'
field() {
    python3 -c '
import json, re, sys
value = json.load(sys.stdin)
for name, index in re.findall(r"\.([a-z_]+)|\[(\d+)\]", sys.argv[1]):
    value = value[name] if name else value[int(index)]
print("" if value is None else value)' "$1"
}

post() { curl -sS --max-time 120 -H 'Content-Type: application/json' "${key[@]}" "$base/api/v1/search" -d "$1"; }
state() { curl -sS --max-time 60 "${key[@]}" "$base/api/v1/search/status/$1"; }
in_background() { post "{\"query\": \"$1\", \"mode\": \"speed\", \"async_mode\": true}" | field .session_id; }
key=(-H 'X-Nothing: set')

is_ready() { [[ $(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$base/readyz") == 200 ]]; }
workers() { compose ps -q worker | wc -l; }
container() { compose ps -q "$1" | head -n 1; }
has_ended() { [[ $(state "$1" | field .status) =~ ^(completed|failed)$ ]]; }
complete() {
    local id
    for id in "$@"; do
        await "search $id" 120 has_ended "$id"
        [[ $(state "$id" | field .status) == completed ]] || die "search $id: $(state "$id")"
    done
}

build_images() {
    local began=$SECONDS service
    # One after the other: builders without BuildKit would compile everything twice.
    for service in api worker; do
        PRIVACHAT_REVISION=$1 compose build "$service" >"$scratch/build.log" 2>&1 ||
            { tail -n 30 "$scratch/build.log" >&2; die "the image $service cannot be built"; }
    done
    figure "build ($1): $((SECONDS - began)) s"
}

start_with_nothing_set() {
    local began=$SECONDS
    compose up -d >/dev/null 2>&1 || die "it does not start"
    await "the API" 120 is_ready
    figure "healthy after $((SECONDS - began)) s"
    [[ $(compose exec -T api privachat-api --version) == *"(first)"* ]] || die "the image does not know its revision"
    local image
    for image in api worker; do
        figure "image $image: $(($(docker image inspect -f '{{.Size}}' "$(docker inspect -f '{{.Image}}' "$(container $image)")") / 1000000)) MB"
    done
    image=$(docker inspect -f '{{.Image}}' "$(container api)")
    [[ $(docker image inspect -f '{{json .Config.Volumes}}' "$image") == null ]] || die "the API's image has a volume"
    compose exec -T postgres psql -U privachat -d privachat -Atc "SELECT rolsuper FROM pg_roles WHERE rolname = current_user" |
        grep -qx f || die "the role of the service is a superuser"
    if docker run --rm --user 65532 -v "${COMPOSE_PROJECT_NAME}_postgres-socket:/var/run/postgresql" \
        --entrypoint psql "$(docker inspect -f '{{.Config.Image}}' "$(container postgres)")" \
        -U postgres -Atc 'SELECT 1' >/dev/null 2>&1; then
        die "a client of the socket is a superuser"
    fi
}

try_settings() {
    # The container cannot read the folder of documents: check-config says so, and the service runs.
    compose exec -T worker privachat-worker check-config >"$scratch/check.txt" || true
    grep -q 'chmod -R a+rX' "$scratch/check.txt" || die "an unreadable corpus is not named: $(cat "$scratch/check.txt")"
    chmod -R a+rX docs

    printf 'tester:a-key-for-this-test-alone\n' >secrets/keys
    chmod 644 secrets/keys
    chmod 755 secrets .
    cat >.env <<'END'
API_KEYS_FILE=/run/secrets/keys
REDIS_URL=redis://elsewhere:6379/0
WIKIPEDIA_BASE_URL=off
END
    compose up -d >/dev/null 2>&1 || die "it does not start with a secret in a file"
    await "the API" 120 is_ready
    [[ $(curl -s -o /dev/null -w '%{http_code}' "$base/api/v1/sessions") == 401 ]] || die "API_KEYS_FILE is not used: open"
    key=(-H 'Authorization: Bearer a-key-for-this-test-alone')
    [[ $(curl -s -o /dev/null -w '%{http_code}' "${key[@]}" "$base/api/v1/sessions") == 200 ]] || die "the key is refused"
    compose exec -T worker privachat-worker check-config >"$scratch/check.txt" || die "$(cat "$scratch/check.txt")"
    grep -q 'REDIS_URL in .env is not used' "$scratch/check.txt" || die "check-config does not name an unused setting"
    ! grep -q 'elsewhere' "$scratch/check.txt" || die "check-config shows the value of an unused setting"
    say "$(sed 's/^/   /' "$scratch/check.txt")"

    if CORPUS=./no-such-folder compose up -d worker >"$scratch/up.txt" 2>&1; then
        [[ ! -e no-such-folder ]] || die "a mistyped folder is created silently"
    fi
    grep -q 'no-such-folder' "$scratch/up.txt" || die "a mistyped folder is no error: $(cat "$scratch/up.txt")"
    [[ ! -e no-such-folder ]] || die "a mistyped folder is created"
    printf 'API_KEYS_FILE=/run/secrets/not-there\n' >.env.broken
    if compose --env-file .env.broken run --rm --no-deps api >"$scratch/broken.txt" 2>&1; then
        die "a missing secret file does not stop the start"
    fi
    grep -q 'API_KEYS cannot be read' "$scratch/broken.txt" || die "$(cat "$scratch/broken.txt")"
    compose up -d >/dev/null 2>&1
    await "the API" 120 is_ready
}

# A model on this machine: reached if it listens on more than the loopback address; otherwise there is a hint.
model_on_the_host() {
    local address port model
    for address in 127.0.0.1 0.0.0.0; do
        : >"$scratch/port"
        python3 scripts/compose/stand-ins/model.py "$address" >"$scratch/port" &
        model=$!
        await "the model" 30 test -s "$scratch/port"
        port=$(<"$scratch/port")
        LLM_BASE_URL=http://host.docker.internal:$port/v1 LLM_MODEL=stand-in \
            compose run --rm --no-deps -T worker check-config >"$scratch/check.txt" 2>/dev/null || true
        kill "$model"
        case $address in
            127.0.0.1) grep -q 'OLLAMA_HOST=0.0.0.0' "$scratch/check.txt" || die "no hint: $(cat "$scratch/check.txt")" ;;
            *) grep -q 'ok    model       stand-in is available' "$scratch/check.txt" || die "not reached: $(cat "$scratch/check.txt")" ;;
        esac
    done
}

# A proxy on this machine connects through Docker's bridge. Also checks API_BIND.
proxy_on_the_host() {
    ! is_believed_from_here || die "X-Forwarded headers of an untrusted client are believed"
    printf 'API_TRUSTED_PROXIES=172.16.0.0/12,192.168.0.0/16\nAPI_BIND=0.0.0.0\n' >>.env
    compose up -d >/dev/null 2>&1
    await "the API" 120 is_ready
    is_believed_from_here || die "X-Forwarded headers of a trusted proxy are not believed"
    docker port "$(container api)" 8001 | grep '^0.0.0.0:' >/dev/null || die "API_BIND is not used"
}
is_believed_from_here() {
    curl -sS -D - -o /dev/null -H 'X-Forwarded-Proto: https' "$base/livez" | grep -i '^strict-transport-security'
} >/dev/null

ask_all_ways() {
    local answer id
    answer=$(post '{"query": "How tall is the Eiffel Tower?", "mode": "speed"}')
    [[ $(field .answer <<<"$answer") == *"330 metres"*"[1]"* ]] || die "not answered: $answer"
    say "   $(field .answer <<<"$answer")"
    id=$(in_background "How long is the Nile?")
    complete "$id"
    [[ $(state "$id" | field .answer) == *"6,650 kilometres"* ]] || die "not answered: $(state "$id")"
    id=$(in_background "How high is Mount Everest?")
    curl -sN --max-time 60 "${key[@]}" "$base/api/v1/search/$id/events" >"$scratch/events.txt"
    grep -q '^event: completed' "$scratch/events.txt" || die "the stream does not end: $(tail -n 3 "$scratch/events.txt")"
    figure "events of a stream: $(grep -c '^event:' "$scratch/events.txt")"
}

four_workers() {
    local id ids=() at
    echo 'WORKERS=4' >>.env
    compose up -d >/dev/null 2>&1
    [[ $(workers) == 4 ]] || die "WORKERS=4 made $(workers)"
    for at in 1 2 3 4 5 6 7 8; do ids+=("$(in_background "How tall is the Eiffel Tower slowly $at?")"); done
    await "a running search" 30 is_running "${ids[7]}"
    docker kill "$(worker_of "${ids[7]}")" >/dev/null
    complete "${ids[@]}"
    compose up -d >/dev/null 2>&1
    [[ $(workers) == 4 ]] || die "up left $(workers) workers of 4"
    figure "a worker killed among 8 running searches: 8 completed; workers before and after up: 4, 4"
    for id in "${ids[@]}"; do
        state "$id" | field .answer | grep -q '330 metres' || die "not answered: $(state "$id")"
    done
}

is_running() { [[ $(state "$1" | field .status) == processing ]]; }

# The container that runs a search.
worker_of() {
    local worker
    for worker in $(compose ps -q worker); do
        # Not grep -q: it would exit before docker logs, which would fail then.
        if docker logs "$worker" 2>&1 | grep "$1" >/dev/null; then
            echo "$worker"
            return
        fi
    done
    die "no worker knows the search $1"
}

redis_away() {
    local id began=$SECONDS lines before
    id=$(in_background "How long is the Nile slowly?")
    before=$(warnings)
    compose stop redis >/dev/null 2>&1
    [[ $(curl -s -o /dev/null -w '%{http_code}' --max-time 20 "$base/readyz") == 503 ]] || die "ready without Redis"
    # Long enough to see how many warnings they write meanwhile.
    sleep 45
    lines=$(($(warnings) - before))
    # A line for each task that needs Redis: five in a worker, one in the API.
    ((lines <= 4 * 6 + 3)) || die "$lines warnings of 5 processes in 45 s without Redis"
    compose start redis >/dev/null 2>&1
    await "the API" 60 is_ready
    complete "$id"
    figure "Redis down for $((SECONDS - began)) s with a search running: it completed; warnings meanwhile, 1 API and 4 workers: $lines"
}

warnings() { compose logs --no-color api worker 2>/dev/null | grep -c '"level":"\(WARN\|ERROR\)"' || true; }

# Sends searches one after the other while the flag file exists; writes one status a line.
keep_asking() {
    local url=$1 flag=$2 out=$3
    while [[ -e $flag ]]; do
        curl -sk -o /dev/null -w '%{http_code}\n' --max-time 30 -H 'Content-Type: application/json' "${key[@]}" \
            "$url/api/v1/search" -d '{"query": "How long is the Nile?", "mode": "speed", "async_mode": true}' >>"$out" || true
        sleep 0.05
    done
}

upgrade() {
    local url=$1 revision=$2 out=$scratch/$2.txt
    build_images "$revision"
    touch "$scratch/asking"
    keep_asking "$url" "$scratch/asking" "$out" &
    local asking=$!
    PRIVACHAT_REVISION=$revision scripts/compose/upgrade.sh >"$scratch/up.txt" 2>&1 || die "$(tail -n 5 "$scratch/up.txt")"
    rm "$scratch/asking"
    wait "$asking"
    [[ $(compose exec -T api privachat-api --version) == *"($revision)"* ]] || die "the API is not of $revision"
    [[ $(workers) == 4 ]] || die "the upgrade left $(workers) workers of 4"
    [[ $url == "$base" || $(compose exec -T api2 privachat-api --version) == *"($revision)"* ]] || die "api2 is not of $revision"
    asked=$(wc -l <"$out")
    refused=$(grep -vcx 200 "$out" || true)
}

upgrade_without_proxy() {
    upgrade "$base" "$1"
    figure "upgrade without a proxy: $asked requests, $refused refused; workers before and after: 4, 4"
}

upgrade_behind_proxy() {
    local port=18443
    printf 'HTTP_PORT=18080\nHTTPS_PORT=%s\nAPI_RATE_LIMIT=100000\n' "$port" >>.env
    compose --profile proxy up -d >/dev/null 2>&1 || die "the proxy does not start"
    await "the proxy" 60 curl -skf "https://localhost:$port/readyz"
    [[ $(curl -sk -o /dev/null -w '%{http_version}' "https://localhost:$port/livez") == 2 ]] || die "no HTTP/2"
    local id
    id=$(curl -sk -H 'Content-Type: application/json' "${key[@]}" "https://localhost:$port/api/v1/search" \
        -d '{"query": "How high is Mount Everest slowly?", "mode": "speed", "async_mode": true}' | field .session_id)
    curl -skN --max-time 60 "${key[@]}" "https://localhost:$port/api/v1/search/$id/events" |
        while IFS= read -r line; do if [[ $line == event:* ]]; then echo "$(date +%s%N) $line"; fi; done >"$scratch/events.txt"
    grep -q 'event: completed' "$scratch/events.txt" || die "no stream through the proxy"
    local first last
    first=$(head -n 1 "$scratch/events.txt" | cut -d ' ' -f 1) last=$(tail -n 1 "$scratch/events.txt" | cut -d ' ' -f 1)
    ((last - first > 2000000000)) || die "the proxy buffered the stream: it came all at once"
    upgrade "https://localhost:$port" "$1"
    [[ $refused == 0 ]] || die "$refused of $asked requests were refused: $(sort "$scratch/$1.txt" | uniq -c | xargs)"
    figure "upgrade behind the proxy: $asked requests, $refused refused; workers before and after: 4, 4"
    client_addresses "$port"
}

# Rate limits count by the address of the client, not of the proxy: the API must believe its proxy.
client_addresses() {
    await "an API that believes its proxy" 30 is_believed "$1"
}
is_believed() { curl -sk -D - -o /dev/null "https://localhost:$1/livez" | grep -i '^strict-transport-security'; }

back_up_and_restore() {
    local before id
    id=$(in_background "How long is the Nile?")
    complete "$id"
    await "the history" 60 is_stored "$id"
    before=$(count_sessions)
    scripts/compose/backup.sh "$scratch/backup"
    compose --profile proxy down --volumes --timeout 5 >/dev/null 2>&1
    compose up -d >/dev/null 2>&1
    await "the API" 120 is_ready
    [[ $(count_sessions) == 0 ]] || die "the history is not empty after its volumes were deleted"
    scripts/compose/restore.sh "$scratch/backup" --replace
    await "the API" 120 is_ready
    [[ $(count_sessions) == "$before" ]] || die "$(count_sessions) sessions of $before came back"
    [[ $(state "$id" | field .answer) == *"6,650"* ]] || die "Redis does not know the search: $(state "$id")"
    figure "restored after the volumes were deleted: $(count_sessions) sessions of $before"
}
is_stored() { curl -sSf "${key[@]}" "$base/api/v1/sessions/$1"; }

drain() {
    local id began
    id=$(in_background "How tall is the Eiffel Tower slowly?")
    await "a running search" 30 is_running "$id"
    began=$SECONDS
    compose stop worker >/dev/null 2>&1
    [[ $(state "$id" | field .status) == completed ]] || die "it was not finished: $(state "$id")"
    figure "workers stopped with a search running: finished after $((SECONDS - began)) s"
}
