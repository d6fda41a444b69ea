"""Checks deploy/kubernetes against the schemas, its kustomization and the rules for these files."""

import sys
from pathlib import Path

import redis_memory
import references
import scaling
import schemas
import separation
import yaml

FOLDER = Path("deploy/kubernetes")
KUSTOMIZATION = {"apiVersion", "kind", "resources", "images"}


def read(file):
    return list(yaml.safe_load_all(file.read_text()))


def base_files():
    return sorted(file for file in FOLDER.glob("*.yaml") if file.name != "kustomization.yaml")


def base():
    """The objects that kustomize makes: those of the files, with the names of the images."""
    images = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["images"]
    names = {image["name"]: f"{image['newName']}:{image['newTag']}" for image in images}
    documents = [document for file in base_files() for document in read(file)]
    for document in documents:
        template = document["spec"].get("template") if "spec" in document else None
        for container in template["spec"]["containers"] if template else []:
            container["image"] = names.get(container["image"], container["image"])
    return documents


def kustomization_faults(files):
    text = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    if unknown := set(text) - KUSTOMIZATION:
        yield f"not checked here: {sorted(unknown)}"
    if text["resources"] != sorted(file.name for file in files):
        yield "resources are not the files of the folder, in order"
    images = {image["name"] for image in text["images"]}
    for file in files:
        for document in read(file):
            template = document["spec"].get("template") if "spec" in document else None
            for container in template["spec"]["containers"] if template else []:
                if container["image"] not in images:
                    yield f"{container['image']} of {file.name} is not under images"


def promises(document):
    """The rules for every object, of the base and of the chart."""
    yield from schemas.faults(document)
    yield from scaling.faults(document)
    yield from separation.faults(document)
    yield from separation.pod_faults(document)


def example_faults():
    """The examples are applied with the base, and refer to its objects."""
    for file in sorted((FOLDER / "examples").glob("*.yaml")):
        documents = read(file)
        for document in documents:
            for fault in [*schemas.faults(document), *redis_memory.faults(document)]:
                yield f"examples/{file.name}, {document['kind']}: {fault}"
        yield from (f"examples/{file.name}: {fault}" for fault in references.faults([*base(), *documents]))


def main():
    files = base_files()
    found = [f"kustomization.yaml: {fault}" for fault in kustomization_faults(files)]
    documents = base()
    for document in documents:
        name = f"{document['kind']} {document['metadata']['name']}"
        found += [f"{name}: {fault}" for fault in promises(document)]
    found += references.faults(documents)
    found += example_faults()
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"{len(documents)} objects of Kubernetes, {len(found)} faults")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
