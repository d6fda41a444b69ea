#!/usr/bin/env bash
# Builds and starts the whole service here: Redis, one worker, the API. Ctrl-C stops all of it.
# Settings come from the environment, then from .env; CORPUS=<folder> names documents to search.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
source scripts/services.sh

load_dotenv

mkdir -p data/logs data/run
exec 9>>data/run/lock
if ! flock --nonblock 9; then
    die "already running here$(where_from data/run/api.addr); stop it with Ctrl-C in its terminal"
fi
rm -f data/run/api.addr

api_host=${API_HOST:-127.0.0.1}
api_port=${API_PORT:-8001}
if ((api_port != 0)) && listens 127.0.0.1 "$api_port"; then
    die "port $api_port is in use by another program; choose another: API_PORT=8002 make run"
fi

scripts/install.sh run
say "building (the first time takes some minutes) ..."
cargo build --locked --quiet --profile quick -p privachat-api -p privachat-worker

own_documents=
for document in README.md ARCHITECTURE.md CHANGELOG.md docs; do
    if [[ -e $document ]]; then own_documents+=${own_documents:+,}$PWD/$document; fi
done
if [[ -n ${CORPUS:-} ]]; then
    [[ -e $CORPUS ]] || die "CORPUS=$CORPUS does not exist"
    CORPUS_PATHS=$(realpath "$CORPUS")
fi
export CORPUS_PATHS=${CORPUS_PATHS:-$own_documents}
export API_HOST=$api_host API_PORT=$api_port API_ADDR_FILE=$PWD/data/run/api.addr
export LOG_FORMAT=${LOG_FORMAT:-pretty}
# At a terminal Ctrl-C has to be quick: unfinished searches are released, and there is no load balancer to wait for.
export DRAIN_SECONDS=${DRAIN_SECONDS:-5} SHUTDOWN_DELAY_SECONDS=${SHUTDOWN_DELAY_SECONDS:-0}

trap stop_all EXIT
trap 'exit 0' INT TERM HUP

start_redis_unless_given
say "starting one worker and the API ..."
start worker target/quick/privachat-worker
start api target/quick/privachat-api
wait_until_ready
wait_for_documents

address=$(cat "$API_ADDR_FILE")
address=http://${address#http://}
question="What happens to a search when its worker dies?"
hint="paste into another terminal"
if [[ $CORPUS_PATHS != "$own_documents" ]]; then
    question="What is asyncio.gather?"
    [[ $CORPUS_PATHS == *python* ]] || hint="your question in place of this one, in another terminal"
fi
cat <<END

PrivaChat Search is ready at $address
  documents  $CORPUS_PATHS
  redis      $REDIS_URL
  logs       data/logs/api.log data/logs/worker.log data/logs/redis.log
  interface  $address/api/docs; in a browser, $address

Ask it something ($hint):

  curl -s $address/api/v1/search -H 'Content-Type: application/json' \\
    -d '{"query": "$question"}'

Ctrl-C stops everything.
END

wait_for_a_death
