"""Checks the effect of each option of the chart, for the sets of values in values/."""

import helm


def _container(objects, release, process):
    return _pod(objects, release, process)["containers"][0]


def _pod(objects, release, process):
    return objects["Deployment", f"{release}-{process}"]["spec"]["template"]["spec"]


def _from_files(container):
    return {variable["name"]: variable.get("value") for variable in container.get("env", [])}


def everything():
    objects = helm.by_name(helm.template("one", "everything"))
    release = "one-privachat"
    api, worker = (_container(objects, release, process) for process in ["api", "worker"])
    config = objects["ConfigMap", release]["data"]
    secrets = {name: helm.plain(document) for (kind, name), document in objects.items() if kind == "Secret"}
    queries = [trigger["metadata"]["query"] for trigger in objects["ScaledObject", f"{release}-worker"]["spec"]["triggers"]]
    matcher = '{cluster=~"eu-.+",job="search/one-privachat-api"}'
    files = {"REDIS_URL_FILE": "/run/secrets/REDIS_URL"}
    proxy = {"HTTPS_PROXY": "http://proxy:3128"}
    yield "a digest", api["image"].partition("@")[2][:11], "sha256:0123"
    yield "a tag", worker["image"], "registry.example.com/team/privachat-worker:0.1.1"
    yield "a number of the config", config["MAX_QUEUE_LENGTH"], "1000000"
    yield "a removed setting", config.get("SEARXNG_BASE_URL"), None
    yield "hosts", config["ALLOWED_HOSTS"], (
        "search.example.com,search.example.org,find.example.com,one-privachat-api,*.svc.cluster.local"
    )
    yield "files of the API", _from_files(api), files | proxy | {"API_KEYS_FILE": "/run/secrets/API_KEYS"}
    yield "files of the worker", _from_files(worker), files | proxy
    yield "a setting in a file is no value", sorted(secrets[f"{release}-api"]), [
        "API_ADMIN_KEYS", "DATABASE_URL", "WEBHOOK_SECRET",
    ]
    yield "a removed value", sorted(secrets[f"{release}-worker"]), [
        "DATABASE_URL", "EMBEDDING_API_KEY", "WEBHOOK_SECRET",
    ]
    yield "a file to the last line feed", secrets[f"{release}-worker-files"]["redis-ca.pem"][-6:], "-----\n"
    yield "ports", [port["containerPort"] for port in api["ports"] + worker["ports"]], [8002, 9465, 9465]
    yield "the time to stop", _pod(objects, release, "api")["terminationGracePeriodSeconds"], 5 + 100 + 15
    yield "which installation", [query.count(matcher) for query in queries], [1, 2]
    yield "the namespace of Prometheus", str(objects["NetworkPolicy", f"{release}-worker"]).count("observability"), 1
    yield "hosts of the ingress", len(objects["Ingress", f"{release}-api"]["spec"]["rules"]), 2
    yield "labels of the monitor", objects["PodMonitor", f"{release}-api"]["metadata"]["labels"]["release"], "prometheus"
    yield "the account", _pod(objects, release, "worker")["serviceAccountName"], release
    for process, pool in [("api", "small"), ("worker", "large")]:
        pod = _pod(objects, release, process)
        annotations = objects["Deployment", f"{release}-{process}"]["spec"]["template"]["metadata"]["annotations"]
        yield f"where the {process} runs", pod["nodeSelector"], {"example.com/pool": pool}
        yield f"what the {process} tolerates", pod["tolerations"][0]["key"], "example.com/pool"
        yield f"the affinity of the {process}", list(pod["affinity"]), ["nodeAffinity"]
        yield f"the pull secret of the {process}", pod["imagePullSecrets"], [{"name": "registry"}]
        yield f"annotations of the {process}", annotations["example.com/team"], "search"
    yield "the corpus", [mount["mountPath"] for mount in worker["volumeMounts"]][-1], "/corpus"


def by_hand():
    objects = helm.by_name(helm.template("privachat", "by-hand"))
    for process, number in [("api", 3), ("worker", 5)]:
        yield f"replicas of the {process}", objects["Deployment", f"privachat-{process}"]["spec"]["replicas"], number
    kinds = {kind for kind, _ in objects}
    yield "objects that are left out", kinds & {"ScaledObject", "HorizontalPodAutoscaler", "NetworkPolicy"}, set()
    yield "no keys", sorted(helm.plain(objects["Secret", "privachat-api"])), ["DATABASE_URL", "REDIS_URL"]


def existing():
    objects = helm.by_name(helm.template("privachat", "existing"))
    yield "no Secret of its own", [name for kind, name in objects if kind == "Secret"], []
    for process in ["api", "worker"]:
        container = _container(objects, "privachat", process)
        yield f"the Secret of the {process}", container["envFrom"][1], {"secretRef": {"name": f"mine-privachat-{process}"}}
    volumes = _pod(objects, "privachat", "api")["volumes"]
    secret = next(volume["secret"] for volume in volumes if volume["name"] == "secrets")
    yield "its files", (secret["secretName"], secret["optional"]), ("mine-privachat-api-files", False)
    yield "settings in files", sorted(_from_files(_container(objects, "privachat", "api"))), [
        "API_ADMIN_KEYS_FILE", "API_KEYS_FILE",
    ]
    yield "the account", _pod(objects, "privachat", "api")["serviceAccountName"], "mine"


def notes():
    warnings = {
        name: [line.partition(": ")[2] for line in helm.notes(*values).splitlines() if line.startswith("WARNING")]
        for name, values in [("default", []), ("by hand", ["by-hand"]), ("existing", ["existing"])]
    }
    examples = [
        f"{setting} of the {process} is still an example of values.yaml, which is public."
        for process, settings in [
            ("api", ["API_ADMIN_KEYS", "API_KEYS", "DATABASE_URL", "REDIS_URL"]),
            ("worker", ["DATABASE_URL", "LLM_API_KEY", "REDIS_URL"]),
        ]
        for setting in settings
    ]
    open_to_all = "there is no key in API_KEYS and API_ADMIN_KEYS. Every client that reaches the API may use it."
    yield "remaining examples", warnings["default"], examples
    yield "a service without keys", open_to_all in warnings["by hand"], True
    yield "existing secrets", warnings["existing"], []
    for values, said in [([], True), (["everything"], False), (["by-hand"], False)]:
        yield f"several installations, {values}", "of all installations" in helm.notes(*values), said


def faults():
    for one in [everything, by_hand, existing, notes]:
        for what, found, expected in one():
            if found != expected:
                yield f"{one.__name__}, {what}: {found!r}, not {expected!r}"
