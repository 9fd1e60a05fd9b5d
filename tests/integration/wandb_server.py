"""A stand-in for the W&B server on this machine: takes what `wandb sync` and online runs send, and remembers it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

KEY = "a" * 40


class Server(ThreadingHTTPServer):
    """What came: operations by name with their variables, rows of the history, files by name."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.operations: list[tuple[str, dict[str, Any]]] = []
        self.history: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.exit_codes: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no trouble."""

    def values(self, key: str) -> list[tuple[int, float]]:
        """(our step, value) wherever the figure came."""
        return [(int(row["step"]), row[key]) for row in self.history if key in row]


@contextmanager
def wandb_server() -> Iterator[Server]:
    with Server() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def environment(server: Server) -> dict[str, str]:
    """What makes wandb talk to it."""
    return {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY, "WANDB_ERROR_REPORTING": "false"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args: Any) -> None:
        pass

    def _body(self) -> bytes:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def _send(self, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self._send({})

    def do_PUT(self) -> None:
        self.server.files[self.path.removeprefix("/up/")] = self._body()
        self._send({})

    def do_POST(self) -> None:
        body = json.loads(self._body())
        if self.path.endswith("/file_stream"):
            rows = body.get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
            self.server.history += [json.loads(row) for row in rows]
            if body.get("complete"):
                self.server.exit_codes.append(int(body["exitcode"]))
            self._send({"exitcode": None, "limits": {}})
            return
        given = body.get("variables") or {}
        self.server.operations.append((body.get("operationName") or body["query"], given))
        self._send({"data": self._answers(given)})

    def _answers(self, given: dict[str, Any]) -> dict[str, Any]:
        """Answers to all operations at once: a client reads the one it asked for."""
        up, artifact = f"{self.server.url}/up/", {"id": "a", "digest": "d", "state": "PENDING", "aliases": []}
        project = {"id": "p", "name": given.get("project") or "p", "entity": {"id": "e", "name": "me"}}
        run = {"id": "b", "name": given.get("name") or "r", "displayName": "n", "config": "{}", "project": project}
        manifest = {"id": "m", "file": {"id": "f", "name": "m", "displayName": "m", "uploadUrl": up + "manifest"}}
        wanted = (given.get("input") or {}).get("artifactFiles", [])
        nodes = [
            {"id": "n", "name": f["name"], "displayName": f["name"], "uploadUrl": up + f["name"], "uploadHeaders": []}
            for f in wanted
        ]
        return {
            "viewer": {"id": "v", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}},
            "serverInfo": {"features": []},
            "model": {"bucket": None},
            "project": None,
            "upsertBucket": {"bucket": run, "inserted": True},
            "createRunFiles": {
                "runID": "b",
                "uploadHeaders": [],
                "files": [{"name": name, "uploadUrl": up + name} for name in given.get("files") or []],
            },
            "createArtifact": {"artifact": artifact | {"artifactSequence": {"id": "s", "latestArtifact": None}}},
            "createArtifactManifest": {"artifactManifest": manifest},
            "createArtifactFiles": {"files": {"edges": [{"node": node | {"artifact": artifact}} for node in nodes]}},
            "commitArtifact": {"artifact": artifact},
            "upsertView": {"view": {"id": "w", "name": "nw-abc-v"}, "inserted": True},
        }
