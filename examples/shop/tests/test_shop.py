"""python3 -m unittest discover --start-directory tests"""

from __future__ import annotations

import json
import sys
import threading
import unittest
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "app"))

import catalogue
import server
import tokens

CONFIG = server.Config(user="octo-dev", password="change-me", currency="EUR", version="1.2.3")


class Catalogue(unittest.TestCase):
    def test_search(self) -> None:
        self.assertEqual(catalogue.search("*", 100), list(catalogue.PRODUCTS))
        self.assertEqual([item.sku for item in catalogue.search("CAP", 5)], ["cap-01"])
        self.assertEqual(catalogue.search("nothing like it", 5), [])


class Tokens(unittest.TestCase):
    def test_a_token_ends_and_cannot_be_prolonged(self) -> None:
        token = tokens.issue("key", now=1000)
        expiry, _, signature = token.partition(".")
        self.assertTrue(tokens.valid(token, "key", now=1000 + tokens.LIFETIME - 1))
        self.assertFalse(tokens.valid(token, "key", now=1000 + tokens.LIFETIME))
        self.assertFalse(tokens.valid(token, "other key", now=1000))
        self.assertFalse(tokens.valid(f"{int(expiry) + 1}.{signature}", "key", now=1000))


class Service(unittest.TestCase):
    def setUp(self) -> None:
        self.server = server.Shop(("127.0.0.1", 0), CONFIG)
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.connection = HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)
        self.addCleanup(self.connection.close)

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_health_names_the_version(self) -> None:
        self.assertEqual(self.ask("GET", "/health"), (200, {"status": "ok", "version": "1.2.3"}))

    def test_login_guards_products_and_query(self) -> None:
        self.assertEqual(self.ask("GET", "/api/products")[0], 401)
        self.assertEqual(self.ask("POST", "/api/query", {"query": "*"}, token="1.x")[0], 401)
        self.assertEqual(self.ask("POST", "/auth/login", {"user": "octo-dev", "password": ""})[0], 401)
        _, login = self.ask("POST", "/auth/login", {"user": "octo-dev", "password": "change-me"})
        token = login["access_token"]
        _, everything = self.ask("GET", "/api/products", token=token)
        self.assertEqual(len(everything["items"]), len(catalogue.PRODUCTS))
        status, found = self.ask("POST", "/api/query", {"query": "*", "limit": 1}, token)
        self.assertEqual((status, len(found["items"])), (200, 1))

    def test_a_wrong_request_is_told_and_the_connection_lives_on(self) -> None:
        self.ask("GET", "/health")
        before = self.connection.sock
        self.assertEqual(self.ask("POST", "/auth/login", ["not", "an", "object"])[0], 400)
        self.assertEqual(self.ask("GET", "/health")[0], 200)
        self.assertIs(self.connection.sock, before)
        self.assertEqual(self.ask("GET", "/nowhere")[0], 404)


if __name__ == "__main__":
    unittest.main()
