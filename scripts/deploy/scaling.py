"""Checks that an outage of Prometheus or Redis does not remove workers."""


def faults(document):
    if document["kind"] != "ScaledObject":
        return
    triggers = document["spec"]["triggers"]
    if len(triggers) != 2:
        yield f"{len(triggers)} triggers, not two (by age and by depth)"
    for trigger in triggers:
        metadata = trigger["metadata"]
        # By default KEDA counts a query without a result as 0.
        if metadata.get("ignoreNullValues") != "false":
            yield f"without ignoreNullValues \"false\" an outage counts as 0: {metadata['query']}"
    if "fallback" in document["spec"]:
        yield "a fallback replaces the current number of workers"
