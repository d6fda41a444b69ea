"""Whether an outage of Prometheus or Redis would take workers away."""


def faults(document):
    if document["kind"] != "ScaledObject":
        return
    triggers = document["spec"]["triggers"]
    if len(triggers) != 2:
        yield f"{len(triggers)} triggers, not by age and by depth"
    for trigger in triggers:
        metadata = trigger["metadata"]
        # KEDA's default takes a query without a result for 0.
        if metadata.get("ignoreNullValues") != "false":
            yield f"without ignoreNullValues \"false\" an outage counts as 0: {metadata['query']}"
    if "fallback" in document["spec"]:
        yield "a fallback takes the place of the number of workers that is there"
