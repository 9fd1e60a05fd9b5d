"""`python -m services.bench.fuzz_http n=10000 [seed=1] [KEY=VALUE ...]`: malformed requests against the gateway.

Half of them are made by schemathesis from the gateway's own OpenAPI page (valid and invalid ones, for every
operation), half are valid requests with something broken: bytes, JSON, headers, paths, or the request line itself. No
answer may be a 500 or undocumented, every refusal has the form of an OpenAI error, and afterwards the gateway still
answers. Other arguments go to the gateway. Exit code 1: something was found.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from hybrid_agent.cli.exits import guarded
from services.bench.process import own_gateway
from services.bench.words import read_words

SMALL = ("gateway.runs.queue=4", "gateway.chat.max_tokens=2", "gateway.chat.most_tokens=4", "gateway.body_mb=0.25")
SHOWN = 20
REQUEST_S = 120.0
MESSAGES = [{"role": "user", "content": "hello"}]
BODIES: dict[str, Any] = {
    "/v1/agent/runs": {"goal": "make a folder x", "seed": 1, "files": {"a.txt": "a"}, "approve": "deny"},
    "/v1/chat/completions": {
        "model": "hybrid-agent",
        "messages": MESSAGES,
        "max_tokens": 1,
        "temperature": 0.5,
        "seed": 1,
        "stop": ["x"],
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
    },
    "/v1/agent/runs/{run}/approvals/a1": {"allow": True},
    "/v1/agent/runs/{run}/rollback": {"to": None},
    "/v1/agent/runs/{run}/cancel": {},
}
ODD: list[Any] = [
    None, True, -1, 2**63, -(2**63) - 1, 1e308, 0.1, "", "\0", "\x7f", "é" * 300, "../..", "\ud800", [], {}, [[]],
    {"$ref": "#"}, {"type": "object", "properties": {"a": {"$ref": "#"}}}, "a" * 10_000, ["x"] * 500, {"": ""},
]  # fmt: skip

TAILS = ("/", "//", "?after=-1", "?limit=x", "%", "%00", "/..", "?a=" + "b" * 3000)


@dataclass
class Findings:
    """What came back. `bad` are answers that may not be."""

    statuses: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    def see(self, what: str, status: int, kind: str, body: bytes) -> None:
        """Judge one answer."""
        self.statuses[str(status)] += 1
        if status >= 500 and status != 503:
            self.bad.append(f"{status}: {what}: {body[:300]!r}")
        elif status >= 400 and kind.startswith("application/json"):
            try:
                detail = json.loads(body)["error"]
                whole = {"message", "type", "param", "code"} <= detail.keys()
            except (ValueError, KeyError, TypeError, AttributeError):
                whole = False
            if not whole:
                self.bad.append(f"{status} without an error's form: {what}: {body[:300]!r}")


def from_schema(url: str, count: int, seed: int, found: Findings) -> None:
    """Requests made from the OpenAPI page."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis.strategies import just
    from schemathesis import GenerationMode

    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations: list[Any] = [found_one.ok() for found_one in cast(Any, schema.get_all_operations())]
    how = settings(
        max_examples=max(1, count // (2 * len(operations))),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            known = set(operation.definition.raw["responses"])

            def one(case: Any, known: frozenset[str]) -> None:
                reply = case.call(timeout=REQUEST_S)
                what = f"{case.method} {case.formatted_path[:80]} {str(case.body)[:200]}"
                kind = (reply.headers.get("content-type") or [""])[0]
                found.see(what, reply.status_code, kind, reply.content)
                if str(reply.status_code) not in known:
                    found.bad.append(f"undocumented {reply.status_code}: {what}")

            cases = operation.as_strategy(generation_mode=mode)
            test = given(case=cases, known=just(frozenset(known)))(one)
            try:
                seeded(seed)(how(test))()
            except Exception as error:  # an operation that has nothing to break cannot be broken
                if type(error).__name__ not in ("Unsatisfiable", "NothingToGenerate", "SkipTest"):
                    raise


def broken(url: str, count: int, seed: int, found: Findings) -> None:
    """Valid requests with something broken."""
    rng = random.Random(seed)
    with httpx.Client(base_url=url, timeout=REQUEST_S) as client:
        run = _some_run(client)
        for number in range(count):
            path = rng.choice(list(BODIES))
            text = json.dumps(_mutated(BODIES[path], rng)).encode()
            place = path.replace("{run}", run)
            way = rng.randrange(8)
            headers = {"content-type": "application/json"}
            if way == 0:
                text = _bytes(text, rng)
            elif way == 1:
                headers["content-type"] = rng.choice(["text/plain", "", "application/json; charset=nonesuch", "x/y"])
            elif way == 2:
                headers[rng.choice(["last-event-id", "origin", "host", "traceparent", "cookie"])] = _word(rng)
            elif way == 3:
                place = f"/v1/agent/runs/{run}/artifacts/{_escaped(rng)}"
            elif way == 4:
                place = (
                    f"{place}{rng.choice(['/', '//', '?after=-1', '?limit=x', '%', '%00', '/..', '?a=' + 'b' * 3000])}"
                )
            elif way == 5:
                _raw(url, place, text, rng, found)
                continue
            method = rng.choice(["GET", "PUT", "DELETE", "PATCH"]) if way in (3, 6) else "POST"
            if way == 3:
                method = "GET"
            try:
                reply = client.request(method, place, content=text, headers=headers)
            except httpx.InvalidURL:
                continue
            kind = reply.headers.get("content-type", "")
            found.see(f"broken {number}: {method} {place[:100]} {text[:200]!r}", reply.status_code, kind, reply.content)


def _some_run(client: httpx.Client) -> str:
    """A run, once what was started before leaves room for it."""
    while (reply := client.post("/v1/agent/runs", json=BODIES["/v1/agent/runs"])).status_code == 429:
        time.sleep(1)
    return str(reply.json()["id"])


def _mutated(value: Any, rng: random.Random) -> Any:
    """The value with one place of it replaced, dropped, doubled or added."""
    if isinstance(value, dict) and value and rng.random() < 0.7:
        key = rng.choice(list(value))
        rest = {name: one for name, one in value.items() if name != key}
        match rng.randrange(5):
            case 0:
                return rest
            case 1:
                return {**value, _word(rng): rng.choice(ODD)}
            case _:
                return {**rest, key: _mutated(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.6:
        return [_mutated(value[0], rng), *value[1:], *value[: rng.randrange(2)]]
    return rng.choice(ODD) if rng.random() < 0.8 else value


def _bytes(text: bytes, rng: random.Random) -> bytes:
    data = bytearray(text)
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(3):
            case 0:
                data[at:at] = bytes([rng.randrange(256)])
            case 1:
                del data[at : at + 3]
            case _:
                data[at : at + 1] = bytes([rng.randrange(256)])
    return bytes(data[: rng.randrange(len(data) + 1)] if rng.random() < 0.2 else data)


def _word(rng: random.Random) -> str:
    return "".join(chr(rng.randrange(33, 127)) for _ in range(rng.randrange(1, 12)))


def _escaped(rng: random.Random) -> str:
    parts = ["..", "%2e%2e", "%2F", "/", "%00", "%ff%fe", "a.txt", "etc", "%5c", ".", "a" * 300, "%E2%80%AE"]
    return "".join(rng.choice(parts) + rng.choice(["", "/"]) for _ in range(rng.randrange(1, 8)))


def _raw(url: str, place: str, text: bytes, rng: random.Random, found: Findings) -> None:
    """Bytes on a socket that are hardly HTTP."""
    parts = urlsplit(url)
    line = rng.choice([f"POST {place} HTTP/1.1", f"POST {place}", "\0\0\0", f"post {place} HTTP/9.9", "GET  HTTP/1.1"])
    length = rng.choice(["-1", "x", "9" * 30, str(len(text)), str(len(text) + 1)])
    head = f"{line}\r\nHost: {parts.netloc}\r\nContent-Length: {length}\r\n{_word(rng)}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=REQUEST_S) as plug:
        plug.sendall(head.encode() + text)
        plug.shutdown(socket.SHUT_WR)
        try:
            reply = plug.recv(65_536)
        except OSError:
            reply = b""
    status = reply.split(b" ", 2)[1:2]
    code = int(status[0]) if status and status[0].isdigit() else 0
    found.see(f"raw {head[:200]!r}", code, "", reply)


def main(words: Sequence[str]) -> int:
    """See the module."""
    given, rest = read_words(words, {"n": 10_000, "seed": 1})
    count, seed, found = int(given["n"]), int(given["seed"]), Findings()
    with tempfile.TemporaryDirectory() as folder, own_gateway(Path(folder) / "runs", [*SMALL, *rest]) as (url, process):
        from_schema(url, count // 2, seed, found)
        done = sum(found.statuses.values())
        print(f"from the OpenAPI page: {done} requests, {len(found.bad)} answers that may not be", flush=True)
        broken(url, count - done, seed, found)
        if process.poll() is not None or httpx.get(f"{url}/healthz", timeout=REQUEST_S).status_code != 200:
            found.bad.append("the gateway does not answer any more")
    statuses = " ".join(f"{status}: {number}" for status, number in sorted(found.statuses.items()))
    print(f"{sum(found.statuses.values())} requests; answers {statuses}; {len(found.bad)} that may not be")
    for line in found.bad[:SHOWN]:
        print(line)
    return int(bool(found.bad))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the gateway is stopped too
    guarded(lambda: main(sys.argv[1:]))
