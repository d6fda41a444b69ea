"""Holds deploy/kubernetes to the schemas of Kubernetes and KEDA, and its kustomization to the folder."""

import sys
from pathlib import Path

import kubernetes_validate
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from pydantic import ValidationError

FOLDER = Path("deploy/kubernetes")
# The newest and the oldest that Kubernetes itself still looks after.
VERSIONS = ["1.37.0", "1.35.0"]
KUSTOMIZATION = {"apiVersion", "kind", "resources", "images"}


def faults(file, document):
    kind = document["kind"]
    if kind == "ScaledObject":
        try:
            known = ScaledObject.model_validate(document)
        except ValidationError as fault:
            yield str(fault)
            return
        # The model drops what it does not know: a field that is misspelt, say.
        if known.model_dump(mode="json", by_alias=True, exclude_unset=True) != document:
            yield "a field that KEDA does not know"
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as fault:
            yield f"Kubernetes {version}: {fault}"


def kustomization_faults(files):
    text = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    if unknown := set(text) - KUSTOMIZATION:
        yield f"not looked at here: {sorted(unknown)}"
    if text["resources"] != sorted(file.name for file in files):
        yield "resources are not the files of the folder, in order"
    images = {image["name"] for image in text["images"]}
    for file in files:
        for document in yaml.safe_load_all(file.read_text()):
            template = document["spec"].get("template") if "spec" in document else None
            for container in template["spec"]["containers"] if template else []:
                if container["image"] not in images:
                    yield f"{container['image']} of {file.name} is not under images"


def main():
    files = sorted(file for file in FOLDER.glob("*.yaml") if file.name != "kustomization.yaml")
    found = [f"kustomization.yaml: {fault}" for fault in kustomization_faults(files)]
    count = 0
    for file in files:
        for document in yaml.safe_load_all(file.read_text()):
            count += 1
            name = f"{file.name}, {document['kind']} {document['metadata']['name']}"
            found += [f"{name}: {fault}" for fault in faults(file, document)]
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"{count} objects of Kubernetes, {len(found)} faults")
    return bool(found)


sys.exit(main())
