"""Prints the queries of the dashboard and of the autoscalers as rules, so that promtool reads them."""

import json
import sys
from pathlib import Path

import helm
import yaml


def dashboard():
    text = Path("deploy/grafana/dashboards/privachat.json").read_text()
    for panel in json.loads(text)["panels"]:
        for target in panel.get("targets", []):
            # Grafana replaces this variable.
            yield target["expr"].replace("$__rate_interval", "1m")


def autoscaler():
    text = Path("deploy/kubernetes/scaling.yaml").read_text()
    # The chart's queries, with a matcher after each metric.
    for document in [*yaml.safe_load_all(text), *helm.template("one", "everything")]:
        for trigger in (document.get("spec") or {}).get("triggers", []):
            yield trigger["metadata"]["query"]


queries = [*dashboard(), *autoscaler()]
rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}, sys.stdout)
