"""Finds what Kubernetes, KEDA and the Prometheus operator would refuse in an object."""

import kubernetes_validate
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PodMonitor
from pydantic import ValidationError

# The newest and the oldest supported version of Kubernetes.
VERSIONS = ["1.37.0", "1.35.0"]
MODELS = {
    ("keda.sh/v1alpha1", "ScaledObject"): ScaledObject,
    ("monitoring.coreos.com/v1", "PodMonitor"): PodMonitor,
}


def faults(document):
    """The schema errors of one object."""
    kind = document["kind"]
    if model := MODELS.get((document["apiVersion"], kind)):
        try:
            known = model.model_validate(document)
        except ValidationError as fault:
            yield str(fault)
            return
        # The model drops unknown fields, for example misspelt ones.
        if known.model_dump(mode="json", by_alias=True, exclude_unset=True) != document:
            yield f"an unknown field of {kind}"
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as fault:
            yield f"Kubernetes {version}: {fault}"
