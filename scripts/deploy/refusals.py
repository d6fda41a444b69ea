"""The values that the chart must refuse, with a part of each error message."""

import helm

SCHEMA = [
    ("config.WORKER_SLOT=\"3\"", "config: Property name of \"WORKER_SLOT\" does not match"),
    ("config.LLM_API_KEY=\"x\"", "Property name of \"LLM_API_KEY\" does not match"),
    ("config.WORKER_NAME=\"x\"", "Property name of \"WORKER_NAME\" does not match"),
    ("config.FETCH_ROBOTS=true", "config.FETCH_ROBOTS: Invalid type"),
    ("config.API_PORT=null", "config: API_PORT is required"),
    ("config.METRICS_PORT=70000", "config.METRICS_PORT: Must be less than or equal to 65535"),
    ("config.DRAIN_SECONDS=\"70s\"", "config.DRAIN_SECONDS: Does not match pattern"),
    ("secrets.api.values.LLM_API_KEY=\"x\"", "secrets.api.values: Property name of \"LLM_API_KEY\" does not match"),
    ("secrets.worker.values.API_KEYS=\"x\"", "secrets.worker.values: Property name of \"API_KEYS\" does not match"),
    ("secrets.worker.files.API_KEYS=\"x\"", "secrets.worker.files: Property name of \"API_KEYS\" does not match"),
    ("secrets.shared.values.LLM_API_KEY=\"x\"", "secrets.shared.values: Property name of \"LLM_API_KEY\" does not match"),
    ("secrets.api.values.API_KEYS=\"\"", "secrets.api.values.API_KEYS: String length must be greater"),
    ("worker.replica=3", "worker: Additional property replica is not allowed"),
    ("worker.autoscaling.enabled=\"no\"", "worker.autoscaling.enabled: Invalid type"),
    ("worker.autoscaling.prometheus.matchers=[\"search\"]", "matchers.0: Does not match pattern"),
    ("image.api.digest=\"sha256:12\"", "image.api.digest: Does not match pattern"),
    ("ingress={\"enabled\":true,\"hosts\":[]}", "ingress.hosts: Array must have at least 1 items"),
    ("fullnameOverride=\"search\"", "fullnameOverride: Does not match pattern"),
]
TEMPLATES = [
    ("secrets.shared.values.REDIS_URL=null", "REDIS_URL is missing: in secrets.shared or secrets."),
    ("api.autoscaling.minReplicas=11", "api.autoscaling: minReplicas is above maxReplicas"),
    ("secrets.api.existingFileSettings=[\"API_KEYS\"]", "secrets.api.existingFilesSecret, which is not set"),
    (
        "secrets.worker={\"existingFilesSecret\":\"mine\",\"files\":{\"LLM_API_KEY\":\"x\"}}",
        "secrets.worker.existingFilesSecret takes the place of files",
    ),
]
RELEASES = [
    ("a-very-long-name-for-a-release-of-a-search", "is longer than 50 characters"),
    ("2nd", "is no name of a Service"),
]


def _faults(what, text, release, settings):
    try:
        helm.template(release, settings=settings)
    except helm.Refused as refused:
        if text not in str(refused):
            yield f"{what} is refused, but not with: {text}\n{refused}"
        return
    yield f"{what} is not refused"


def faults():
    for setting, text in SCHEMA + TEMPLATES:
        yield from _faults(setting, text, "privachat", [setting])
    for release, text in RELEASES:
        yield from _faults(f"release {release}", text, release, [])
