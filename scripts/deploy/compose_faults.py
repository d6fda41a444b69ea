"""Puts faults into a copy of docker-compose.yml, one at a time, and expects compose.py to name each."""

import sys
from pathlib import Path

import compose

# The original text, its replacement, and a part of the expected message.
FAULTS = [
    ("API_KEYS: , API_KEYS_FILE: ,", "API_KEYS: ,", "API_KEYS_FILE is not passed on"),
    ("LLM_API_KEY: , LLM_API_KEY_FILE: ,", "LLM_API_KEY_FILE: ,", "LLM_API_KEY is not passed on"),
    ("FETCH_ROBOTS: ,", "FETCH_ROBTS: ,", "FETCH_ROBTS is passed on and is no setting"),
    ("LOG_LEVEL: ,", "LOG_LEVEL: info,", "would not be taken from .env"),
    ("      DOTENV_REDIS_URL: ${REDIS_URL:-}\n", "", "DOTENV_REDIS_URL is missing"),
    ("*shared-choices, *api-choices]", "*shared-choices, *api-choices, *worker-choices]", "only workers need"),
    ("replicas: ${WORKERS:-1}", "replicas: 1", "not kept in WORKERS"),
    ("memory: 2g", "memory: 1g", "twice maxmemory and 256 MiB are"),
    ("--maxmemory 768mb", "--maxmemory 900mb", "twice maxmemory and 256 MiB are"),
    ("appendfsync always", "appendfsync everysec", "appendfsync is everysec, not always"),
    ('"${API_BIND:-127.0.0.1}:', '"${API_BIND:-0.0.0.0}:', "published on more than this machine"),
    ('"${API_BIND:-127.0.0.1}:', '"', "published on more than this machine"),
    ("redis:8.8.0-trixie", "redis:latest", "names no version"),
    ("    - *secrets\n  networks", "  networks", "the folder of secrets is not mounted"),
    ("    image: caddy:", "    depends_on: *stores\n    image: caddy:", "replaced whenever an API is"),
    ("source: ${CORPUS:-./docs}", "source: ${CORPUS}", "no default"),
    ("        target: /corpus\n        read_only: true", "        target: /corpus", "/corpus can be written to"),
    ("stop_grace_period: 90s", "stop_grace_period: 60s", "killed before"),
    ("      - searxng-cache:", "      - ./deploy/searxng:/deploy:ro\n      - searxng-cache:", "mounted from the checkout"),
    ("privachat-worker:${PRIVACHAT_VERSION:-0.1.0}", "privachat-worker:${PRIVACHAT_VERSION:-0.0.9}", "not of version"),
    ("read_only: true\n  cap_drop: [ALL]", "read_only: true", "no cap_drop"),
]


def named(text):
    services = compose.yaml.safe_load(text)["services"]
    checks = (compose.setting_faults, compose.redis_faults, compose.service_faults, compose.mount_faults,
              compose.stop_faults, compose.version_faults)
    found = [fault for check in checks for fault in check(services)]
    return found + list(compose.variable_faults(text, services))


def main():
    text = Path("docker-compose.yml").read_text(encoding="utf-8")
    missed = []
    for old, new, expected in FAULTS:
        if old not in text:
            missed.append(f"{old!r} is not in docker-compose.yml")
        elif not any(expected in fault for fault in named(text.replace(old, new, 1))):
            missed.append(f"{new!r} in place of {old!r} is not noticed")
    for fault in missed:
        print(f"compose.py: {fault}", file=sys.stderr)
    print(f"{len(FAULTS)} faults were put into a copy, {len(missed)} were missed")
    return bool(missed)


sys.exit(main())
