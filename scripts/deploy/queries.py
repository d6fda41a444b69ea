"""Prints the queries of the dashboard and of the autoscaler as rules, so that promtool reads them."""

import json
import sys
from pathlib import Path

import yaml


def dashboard():
    text = Path("deploy/grafana/dashboards/privachat.json").read_text()
    for panel in json.loads(text)["panels"]:
        for target in panel.get("targets", []):
            # Filled in by Grafana.
            yield target["expr"].replace("$__rate_interval", "1m")


def autoscaler():
    text = Path("deploy/kubernetes/scaling.yaml").read_text()
    for document in yaml.safe_load_all(text):
        for trigger in document["spec"].get("triggers", []):
            yield trigger["metadata"]["query"]


queries = [*dashboard(), *autoscaler()]
rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}, sys.stdout)
