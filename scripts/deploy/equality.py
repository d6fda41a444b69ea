"""Checks that the chart makes the same objects as deploy/kubernetes."""

import copy

import helm

# The labels by which Helm knows its objects.
LABELS = {"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/version"}


def _without_marks(metadata):
    """Removes the labels of Helm, and the checksums by which it replaces pods."""
    labels = {name: value for name, value in metadata.pop("labels", {}).items() if name not in LABELS}
    annotations = metadata.pop("annotations", {})
    annotations = {name: value for name, value in annotations.items() if not name.startswith("checksum/")}
    for name, rest in [("labels", labels), ("annotations", annotations)]:
        if rest:
            metadata[name] = rest


def comparable(document):
    document = copy.deepcopy(document)
    _without_marks(document["metadata"])
    if template := (document.get("spec") or {}).get("template"):
        _without_marks(template["metadata"])
    if document["kind"] == "Secret" and "data" in document:
        document["stringData"] = helm.plain(document)
        del document["data"]
    return document


def _differences(place, one, other):
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from _differences(f"{place}.{name}", one.get(name), other.get(name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from _differences(f"{place}[{number}]", *pair)
    elif one != other:
        yield f"{place}: {one!r} in deploy/kubernetes, {other!r} in the chart"


def faults(expected, rendered):
    ours = {name: comparable(document) for name, document in helm.by_name(expected).items()}
    theirs = {name: comparable(document) for name, document in helm.by_name(rendered).items()}
    if len(ours) != len(expected) or len(theirs) != len(rendered):
        yield "two objects of one name"
    for kind, name in sorted(ours.keys() | theirs.keys()):
        yield from _differences(f"{kind} {name}", ours.get((kind, name)), theirs.get((kind, name)))
