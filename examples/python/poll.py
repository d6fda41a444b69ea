import os
import sys

import httpx

URL = os.environ.get("PRIVACHAT_URL", "http://localhost:8001")

with httpx.Client(base_url=URL, timeout=60) as client:
    request = {"query": sys.argv[1], "mode": "speed", "async_mode": True}
    search = client.post("/api/v1/search", json=request).raise_for_status().json()
    while search["status"] in ("pending", "processing"):
        # Answered when the state changes, or after 30 s.
        address = f"/api/v1/search/status/{search['session_id']}?wait=30"
        search = client.get(address).raise_for_status().json()
    print(search["answer"] or search["error"])
