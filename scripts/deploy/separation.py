"""Checks that each process gets the secrets that docker-compose.yml gives it, and no others."""

import functools
import json
from pathlib import Path

import yaml

PROCESSES = ["api", "worker"]


@functools.cache
def settings_of(process):
    services = yaml.safe_load(Path("docker-compose.yml").read_text())["services"]
    return frozenset(name for name in services[process]["environment"] if not name.startswith("DOTENV_"))


def is_secret(name):
    return name.endswith(("_KEY", "_KEYS", "_SECRET", "_URL")) and not name.endswith("_BASE_URL")


def schema_faults():
    """The chart accepts for each process the secrets that compose gives it."""
    schema = json.loads(Path("deploy/helm/privachat/values.schema.json").read_text())
    given = {process: {name for name in settings_of(process) if is_secret(name)} for process in PROCESSES}
    given["shared"] = given["api"] & given["worker"]
    for owner, expected in given.items():
        taken = set(schema["definitions"][f"{owner}Secret"]["enum"])
        if taken != expected:
            yield f"the chart's secrets of {owner} are not those of docker-compose.yml: {sorted(taken ^ expected)}"


def process_of(name):
    """privachat-worker, one-privachat-worker-files → worker."""
    found = [process for process in PROCESSES if name.removesuffix("-files").endswith(f"privachat-{process}")]
    return found[0] if found else None


def names_in(secret):
    """The settings of a Secret; files with other names are no settings."""
    names = {**secret.get("stringData", {}), **secret.get("data", {})}
    return {name.removesuffix("_FILE") for name in names if name.isupper()}


def faults(document):
    if document["kind"] != "Secret":
        return
    name = document["metadata"]["name"]
    process = process_of(name)
    if process is None:
        yield f"Secret {name} belongs to neither the API nor the worker"
        return
    if foreign := names_in(document) - settings_of(process):
        yield f"Secret {name} holds what the {process} does not need: {sorted(foreign)}"


def pod_faults(document):
    """A process reads its own Secret and no other."""
    if document["kind"] != "Deployment":
        return
    pod = document["spec"]["template"]["spec"]
    process = process_of(document["metadata"]["name"])
    sources = [source["secretRef"]["name"] for source in pod["containers"][0]["envFrom"] if "secretRef" in source]
    sources += [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    for source in sources:
        if process_of(source) not in (None, process):
            yield f"the {process} reads the Secret {source}"
    files = [volume["secret"] for volume in pod["volumes"] if volume["name"] == "secrets"]
    group = pod["securityContext"]["fsGroup"]
    if [secret["defaultMode"] for secret in files] != [0o440] or group != pod["securityContext"]["runAsGroup"]:
        yield "files of secrets are readable beyond the group of the process (defaultMode 0440, fsGroup)"
    mounts = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "secrets"]
    if mounts != [{"name": "secrets", "mountPath": "/run/secrets", "readOnly": True}]:
        yield "files of secrets are not mounted read-only at /run/secrets"
