"""Somebody who uses the app from a program."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

JSON = {"Content-Type": "application/json"}


class Visitor:
    """Somebody who talks to the app over plain HTTP, from an address of their own on this machine."""

    def __init__(self, url, address="127.0.0.1"):
        self.where, self.address = urlsplit(url).netloc, address

    def open(self, method, path, body=None, headers=None):
        link = http.client.HTTPConnection(self.where, source_address=(self.address, 0), timeout=60)
        link.request(method, path, body, headers or {})
        return link.getresponse()

    def ask(self, method, path, body=None, headers=None):
        """Status and text of the answer."""
        answer = self.open(method, path, body, headers)
        return answer.status, answer.read().decode()

    def call(self, name, data):
        status, text = self.ask("POST", f"/gradio_api/call/{name}", json.dumps(data), JSON)
        return json.loads(text)["event_id"] if status == 200 else (status, text)

    def hear(self, name, event):
        """The answer to a call, as it comes."""
        return self.open("GET", f"/gradio_api/call/{name}/{event}")
