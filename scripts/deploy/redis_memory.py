"""Checks that a Redis of the deploy files has the settings of docs/REDIS.md, and enough memory."""

from pathlib import Path

import yaml

UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "g": 1 << 30}
# While the append-only file is rewritten, changed data is copied; and Redis needs memory beside its data.
BESIDE = 256 << 20
ASKED_FOR = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


def amount(text):
    number = text.rstrip("KMGbimkg")
    return int(number) * UNITS[text.removeprefix(number)]


def options(arguments):
    return dict(zip((name.removeprefix("--") for name in arguments[::2]), arguments[1::2], strict=True))


def server_faults(arguments, memory):
    """The faults of a server with these `arguments` and a limit of `memory`."""
    said = options(arguments)
    for name, value in ASKED_FOR.items():
        if said.get(name) != value:
            yield f"{name} is {said.get(name)}, not {value}"
    limit = amount(memory)
    needed = 2 * amount(said["maxmemory"]) + BESIDE
    if limit < needed:
        yield f"a memory limit of {limit >> 20} MiB; twice maxmemory and 256 MiB are {needed >> 20}"


def faults(document):
    if document["kind"] != "StatefulSet":
        return
    [container] = document["spec"]["template"]["spec"]["containers"]
    yield from server_faults(container["args"], container["resources"]["limits"]["memory"])
    if document["spec"]["replicas"] != 1:
        yield "several replicas would be several queues"
    compose = yaml.safe_load(Path("docker-compose.yml").read_text())
    if container["image"] != compose["services"]["redis"]["image"]:
        yield f"{container['image']} is not the image of docker-compose.yml"
