"""Answers like SearXNG (GET /search?q=&format=json, GET /healthz), with the facts below. A question with the word
"slowly" is answered after four seconds. Refuses to start without the settings that the service needs."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import yaml

FACTS = [
    ("The Eiffel Tower", "The Eiffel Tower is 330 metres tall. It was completed in 1889."),
    ("Mount Everest", "Mount Everest is 8,849 metres high. It was first climbed in 1953."),
    ("The Nile", "The Nile is about 6,650 kilometres long and ends in the Mediterranean Sea."),
    ("Tides", "Tides are caused by the gravity of the Moon and the Sun."),
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urlparse(self.path)
        if address.path == "/healthz":
            return self.answer("text/plain", b"OK")
        query = parse_qs(address.query).get("q", [""])[0]
        if "slowly" in query:
            time.sleep(4)
        results = [
            {"url": f"https://site{place}.example/{title.replace(' ', '-')}", "title": title, "content": text,
             "engine": "stand-in", "engines": ["stand-in"], "score": 1.0 / place, "category": "general"}
            for place, (title, text) in enumerate(FACTS, 1)
        ]
        body = {"query": query, "number_of_results": len(results), "results": results, "answers": [],
                "corrections": [], "infoboxes": [], "suggestions": [], "unresponsive_engines": []}
        self.answer("application/json", json.dumps(body).encode())

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    settings = yaml.safe_load(open("/etc/searxng/settings.yml", encoding="utf-8"))
    if "json" not in settings["search"]["formats"] or settings["server"]["limiter"]:
        sys.exit("with these settings every search would be refused")
    if len(os.environ.get("SEARXNG_SECRET", "")) < 32:
        sys.exit("SEARXNG_SECRET is missing")
    ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()


main()
