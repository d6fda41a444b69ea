"""Checks docker-compose.yml against the settings, its own limits and the promises to operators."""

import re
import sys
from pathlib import Path

import redis_memory
import yaml

OURS = ("api", "api2", "worker")
# Variables of compose, or of other projects' images.
NOT_SETTINGS = {"ROLE", "ACCESS", "SETTINGS", "CADDYFILE", "POSTGRES_HOST_AUTH_METHOD"}
# Fixed between the services: check-config gets the values of .env for them, and names them.
FIXED = {"REDIS_URL", "DATABASE_URL", "DRAIN_SECONDS", "METRICS_HOST", "METRICS_PORT", "SEARXNG_BASE_URL",
         "CORPUS_PATHS", "API_HOST", "API_PORT", "SHUTDOWN_DELAY_SECONDS", "ALLOWED_HOSTS", "API_TRUSTED_PROXIES"}
# Paths of this machine, or one value for several workers; Redis and Postgres of compose have no certificates.
NOT_IN_CONTAINERS = {"API_ADDR_FILE", "METRICS_ADDR_FILE", "DATA_DIR", "WORKER_NAME", "REDIS_CA_FILE",
                     "DATABASE_CA_FILE"}
# Fixed, and still used from .env: the port is published, the lists are extended.
ALSO_USED = {"API_PORT", "ALLOWED_HOSTS", "API_TRUSTED_PROXIES"}


def example():
    """Every setting of .env.example, and the names that only compose reads, above REDIS_URL."""
    names = re.findall(r"^#([A-Z0-9_]+)=", Path(".env.example").read_text(encoding="utf-8"), re.M)
    first = names.index("REDIS_URL")
    return set(names[first:]), set(names[:first])


def setting_faults(services):
    known, _ = example()
    passed = known - FIXED - NOT_IN_CONTAINERS
    files = {f"{name}_FILE" for name in passed if not name.endswith("_FILE")}
    said = {name: set(services[name]["environment"]) - NOT_SETTINGS for name in OURS}
    everywhere = said["api"] | {name for name in said["worker"] if not name.startswith("DOTENV_")}
    for name in sorted((passed | files | FIXED) - everywhere):
        yield f"{name} is not passed on"
    for name in sorted(everywhere - passed - files - FIXED):
        yield f"{name} is passed on and is no setting"
    for name in OURS:
        environment = services[name]["environment"]
        for key in sorted(said[name]):
            if not key.startswith("DOTENV_") and key not in FIXED and environment[key] is not None:
                yield f"{name}: {key} is fixed and would not be taken from .env"
            if not key.endswith("_FILE") and key in passed and f"{key}_FILE" not in said[name]:
                yield f"{name}: {key} is passed on and {key}_FILE is not"
    told = {name.removeprefix("DOTENV_") for name in said["worker"] if name.startswith("DOTENV_")}
    for name in sorted(FIXED - ALSO_USED - told):
        yield f"DOTENV_{name} is missing: check-config could not name it"
    for name in sorted(said["api"] & {"LLM_API_KEY", "EMBEDDING_API_KEY", "RERANK_API_KEY", "OPENROUTER_API_KEY"}):
        yield f"the API is given {name}, which only workers need"
    for name in sorted(said["worker"] & {"API_KEYS", "API_ADMIN_KEYS", "API_KEYS_FILE"}):
        yield f"workers are given {name}, which only the API needs"


def redis_faults(services):
    redis = services["redis"]
    _, *arguments = redis["command"].split()
    for fault in redis_memory.server_faults(arguments, redis["deploy"]["resources"]["limits"]["memory"]):
        yield f"redis: {fault}"


def service_faults(services):
    for name, service in services.items():
        for key in ("read_only", "cap_drop", "security_opt", "healthcheck", "logging", "restart"):
            if not service.get(key):
                yield f"{name}: no {key}"
        if not service["deploy"]["resources"]["limits"].get("memory"):
            yield f"{name}: no limit of memory"
        if "container_name" in service:
            yield f"{name}: container_name stops it from being scaled"
        image = service.get("image", "")
        if not re.search(r":[^:]*\d+\.\d+", image):
            yield f"{name}: {image or 'no image'} names no version"
        for port in service.get("ports", []):
            if not re.match(r"(127\.0\.0\.1|\$\{(API|PROXY)_BIND:-127\.0\.0\.1\}):", port):
                yield f"{name}: {port} is published on more than this machine"
    worker = services["worker"]
    if worker.get("ports") or worker["deploy"].get("replicas") != "${WORKERS:-1}":
        yield "worker: the number is not kept in WORKERS, or a port stops it from being scaled"
    for name in OURS:
        if not any(mount.get("target") == "/run/secrets" for mount in binds(services[name])):
            yield f"{name}: the folder of secrets is not mounted"
    if "depends_on" in services["proxy"]:
        yield "proxy: it would be replaced whenever an API is, and refuse requests meanwhile"


def binds(service):
    return [mount for mount in service.get("volumes", []) if isinstance(mount, dict) and mount["type"] == "bind"]


def mount_faults(services):
    """The service must start from a checkout made under umask 077, which containers cannot read."""
    for name, service in services.items():
        for mount in service.get("volumes", []):
            source = mount.get("source") if isinstance(mount, dict) else mount.split(":")[0]
            if str(source).startswith("./") and not service.get("profiles"):
                yield f"{name}: {source} is mounted from the checkout"
        for mount in binds(service):
            if not mount.get("read_only") or "bind" in mount:
                yield f"{name}: {mount['target']} can be written to, or has options that older compose refuses"


def variable_faults(text, services):
    _, only_compose = example()
    used = dict(re.findall(r"\$\{([A-Z0-9_]+)([^}]*)\}", re.sub(r"^ *#.*", "", text, flags=re.M)))
    for name, default in used.items():
        if not default.startswith(":-"):
            yield f"{name}: no default, so something would have to be set"
    known, _ = example()
    for name in sorted(set(used) - only_compose - known - {"PRIVACHAT_REVISION"}):
        if not name.removesuffix("_FILE") in known:
            yield f"{name} is not explained in .env.example"
    for name in sorted(only_compose - set(used)):
        yield f"{name} of .env.example is not read"


def stop_faults(services):
    def seconds(value):
        return int(re.match(r"\d+", str(value))[0])

    for name in OURS:
        environment = services[name]["environment"]
        takes = seconds(environment["DRAIN_SECONDS"]) + seconds(environment.get("SHUTDOWN_DELAY_SECONDS", 0))
        if seconds(services[name]["stop_grace_period"]) < takes + 15:
            yield f"{name}: it is killed before the {takes} s are over that a stop may take"


def version_faults(services):
    version = re.search(r'^version = "(.*)"$', Path("Cargo.toml").read_text(encoding="utf-8"), re.M)[1]
    for name in OURS:
        if not services[name]["image"].endswith(f"${{PRIVACHAT_VERSION:-{version}}}"):
            yield f"{name}: its image is not of version {version}"
    if f'image.version="{version}"' not in Path("deploy/Dockerfile").read_text(encoding="utf-8"):
        yield f"deploy/Dockerfile does not say version {version}"


def main():
    text = Path("docker-compose.yml").read_text(encoding="utf-8")
    services = yaml.safe_load(text)["services"]
    found = [*setting_faults(services), *redis_faults(services), *service_faults(services), *mount_faults(services),
             *variable_faults(text, services), *stop_faults(services), *version_faults(services)]
    for fault in found:
        print(f"docker-compose.yml: {fault}", file=sys.stderr)
    print(f"{len(services)} services of compose, {len(found)} faults")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
