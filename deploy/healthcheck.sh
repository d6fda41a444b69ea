#!/usr/bin/env bash
# Asks the API in this container whether it is ready; there is no curl in the image.
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/${API_PORT:-8001}"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[[ $status == 200 ]]
