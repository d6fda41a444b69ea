import json
import os
import sys
import time

import httpx
from websockets.exceptions import ConnectionClosed, InvalidMessage
from websockets.sync.client import connect

URL = os.environ.get("PRIVACHAT_URL", "http://localhost:8001")


def follow(session_id):
    """Every event once, until the last; a connection that breaks is resumed where it broke."""
    address, after = f"{URL}/api/v1/search/{session_id}/ws".replace("http", "ws", 1), ""
    while True:
        try:
            with connect(address + after) as socket:  # socket.send('{"cancel":true}') cancels.
                for message in socket:
                    event = json.loads(message)
                    after = f"?after={event['id']}"
                    yield event
                    if event["type"] in ("completed", "failed"):
                        return
        except (ConnectionClosed, InvalidMessage, OSError):
            pass
        time.sleep(1)


request = {"query": sys.argv[1], "mode": "speed", "async_mode": True}
search = httpx.post(f"{URL}/api/v1/search", json=request).raise_for_status().json()
for event in follow(search["session_id"]):
    if event["type"] == "stage":
        print(event["message"], file=sys.stderr)
    elif event["type"] == "text":
        print(event["delta"], end="", flush=True)
    elif event["type"] in ("started", "retry", "released", "discard"):
        print()  # What was written so far is void.
    elif event["type"] in ("completed", "failed"):
        result = event["result"]
        print("\n\n" + (result["answer"] or result["error"]))
