"""Checks the chart against deploy/kubernetes, the schemas and its documented options."""

import sys
from pathlib import Path

import equality
import helm
import manifests
import options
import references
import refusals
import separation
import yaml

EXISTING = [
    ("Secret", "mine-privachat-api"),
    ("Secret", "mine-privachat-api-files"),
    ("Secret", "mine-privachat-worker"),
    ("ServiceAccount", "mine"),
]
SETS = [[], ["everything"], ["by-hand"], ["existing"], ["examples"]]
EXAMPLES = ["podmonitor.yaml", "ingress.yaml"]


def object_faults(release, *values):
    helm.lint(*values)
    documents = helm.template(release, *values)
    for document in documents:
        for fault in manifests.promises(document):
            yield f"{release} {values}, {document['kind']} {document['metadata']['name']}: {fault}"
    for fault in references.faults(documents, EXISTING):
        yield f"{release} {values}: {fault}"


def equality_faults():
    base = manifests.base()
    yield from equality.faults(base, helm.template("privachat"))
    examples = [
        document for name in EXAMPLES for document in manifests.read(manifests.FOLDER / "examples" / name)
    ]
    names = helm.by_name(examples).keys()
    rendered = helm.by_name(helm.template("privachat", "examples"))
    yield from equality.faults(examples, [document for name, document in rendered.items() if name in names])


def neighbour_faults():
    """Two releases in one namespace have no object, and no pod, in common."""
    one, two = (helm.template(release, "examples") for release in ["one", "privachat"])
    if both := helm.by_name(one).keys() & helm.by_name(two).keys():
        yield f"two releases make the same objects: {sorted(both)}"
    for documents, others in [(one, two), (two, one)]:
        labels = [labels for _, labels, _ in references.pods(others)]
        for document in documents:
            for selector in references.selectors(document):
                if any(selector.items() <= pod.items() for pod in labels):
                    yield f"{document['kind']} {document['metadata']['name']} selects pods of the other release"


def _checksums(*settings):
    objects = helm.by_name(helm.template("privachat", settings=settings))
    return [
        objects["Deployment", f"privachat-{process}"]["spec"]["template"]["metadata"]["annotations"]
        for process in ["api", "worker"]
    ]


def checksum_faults():
    """A pod is replaced when a value changes that it reads at its start, and only then."""
    cases = [
        ("config.HISTORY_DAYS=\"30\"", [True, True]),
        ("secrets.shared.values.REDIS_URL=\"redis://other\"", [True, True]),
        ("secrets.api.values.API_KEYS=\"website:another-key-for-it\"", [True, False]),
        ("secrets.worker.files={\"redis-ca.pem\":\"x\"}", [False, True]),
        ("secrets.worker.existingSecret=\"mine-privachat-worker\"", [False, True]),
        ("networkPolicy.enabled=false", [False, False]),
    ]
    before = _checksums()
    for setting, expected in cases:
        changed = [old != new for old, new in zip(before, _checksums(setting), strict=True)]
        if changed != expected:
            yield f"{setting}: API and worker are replaced: {changed}, not {expected}"


def version_faults():
    chart = yaml.safe_load(Path(helm.CHART, "Chart.yaml").read_text())
    images = yaml.safe_load((manifests.FOLDER / "kustomization.yaml").read_text())["images"]
    for image in images:
        if image["newTag"] != chart["appVersion"]:
            yield f"appVersion {chart['appVersion']} is not the tag {image['newTag']} of kustomization.yaml"


def all_faults():
    for values in SETS:
        yield from object_faults("privachat", *values)
    yield from object_faults("one")
    checks = [equality_faults, neighbour_faults, checksum_faults, version_faults, separation.schema_faults,
              options.faults, refusals.faults]
    for faults in checks:
        yield from faults()


def main():
    count = 0
    for fault in all_faults():
        # At once, because this fault may stop the following checks.
        print(fault, file=sys.stderr)
        count += 1
    print(f"the chart with {len(SETS)} sets of values, {count} faults")
    return bool(count)


if __name__ == "__main__":
    sys.exit(main())
