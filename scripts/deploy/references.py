"""Checks that references between objects are valid, which the schemas cannot check."""


def pods(documents):
    """Each object that makes pods, with the labels and the spec of its pods."""
    for document in documents:
        if template := (document.get("spec") or {}).get("template"):
            yield document, template["metadata"]["labels"], template["spec"]


def selectors(document):
    """The labels by which an object finds pods."""
    spec = document.get("spec") or {}
    if document["kind"] == "Service":
        yield spec["selector"]
    elif document["kind"] == "NetworkPolicy":
        yield spec["podSelector"]["matchLabels"]
        for rule in spec["ingress"]:
            for peer in rule.get("from", []):
                if "podSelector" in peer:
                    yield peer["podSelector"]["matchLabels"]
    elif "selector" in spec:
        yield spec["selector"]["matchLabels"]


def _named_objects(pod):
    """Kind and name of each object that must exist before the pod starts."""
    for volume in pod.get("volumes", []):
        secret = volume.get("secret")
        if secret and not secret.get("optional"):
            yield "Secret", secret["secretName"]
    for container in pod["containers"]:
        for variable in container.get("env", []):
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                yield "Secret", reference["name"]
        for source in container.get("envFrom", []):
            for field, kind in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")]:
                if field in source:
                    yield kind, source[field]["name"]
    if account := pod.get("serviceAccountName"):
        yield "ServiceAccount", account


def _targets(document):
    spec = document.get("spec") or {}
    if target := spec.get("scaleTargetRef"):
        yield "Deployment", target["name"]
    for rule in spec.get("rules", []) if document["kind"] == "Ingress" else []:
        for path in rule["http"]["paths"]:
            yield "Service", path["backend"]["service"]["name"]


def _container_faults(document, pod):
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    volumes |= {claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", [])}
    for container in pod["containers"]:
        ports = {port["name"] for port in container["ports"]}
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"]:
            port = container[probe].get("httpGet", {}).get("port")
            if port is not None and port not in ports:
                yield f"{probe} uses port {port}, which the container lacks"
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        for name in sorted(mounted - volumes):
            yield f"mounts {name}, which is no volume"


def faults(documents, elsewhere=()):
    """References to missing objects. `elsewhere`: kind and name of objects made by others."""
    there = {(document["kind"], document["metadata"]["name"]) for document in documents} | set(elsewhere)
    labels = [labels for _, labels, _ in pods(documents)]
    for document in documents:
        name = f"{document['kind']} {document['metadata']['name']}"
        for selector in selectors(document):
            if not any(selector.items() <= pod.items() for pod in labels):
                yield f"{name} selects no pod: {selector}"
        for target in _targets(document):
            if target not in there:
                yield f"{name}: there is no {target[0]} {target[1]}"
    for document, _, pod in pods(documents):
        name = f"{document['kind']} {document['metadata']['name']}"
        for target in _named_objects(pod):
            if target not in there:
                yield f"{name}: there is no {target[0]} {target[1]}"
        yield from (f"{name}: {fault}" for fault in _container_faults(document, pod))
