import os
import sys
import time

import httpx
from httpx_sse import connect_sse

URL = os.environ.get("PRIVACHAT_URL", "http://localhost:8001")


def follow(client, session_id):
    """Every event once, until the last; a connection that breaks is resumed where it broke."""
    address, last = f"/api/v1/search/{session_id}/events", ""
    while True:
        try:
            with connect_sse(client, "GET", address, headers={"Last-Event-ID": last}) as stream:
                if stream.response.status_code == 204:
                    return
                if stream.response.status_code != 503:
                    stream.response.raise_for_status()
                    for event in stream.iter_sse():
                        last = event.id
                        yield event.json()
                        if event.event in ("completed", "failed"):
                            return
        except httpx.TransportError:
            pass
        time.sleep(1)


with httpx.Client(base_url=URL, timeout=60) as client:
    request = {"query": sys.argv[1], "mode": "speed", "async_mode": True}
    search = client.post("/api/v1/search", json=request).raise_for_status().json()
    for event in follow(client, search["session_id"]):
        if event["type"] == "stage":
            print(event["message"], file=sys.stderr)
        elif event["type"] == "text":
            print(event["delta"], end="", flush=True)
        elif event["type"] in ("started", "retry", "released", "discard"):
            print()  # What was written so far is void.
        elif event["type"] in ("completed", "failed"):
            result = event["result"]
            print("\n\n" + (result["answer"] or result["error"]))
