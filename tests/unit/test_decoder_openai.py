"""The HTTP decoder against a real server on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hybrid_agent.decoder.openai import KEY, OpenAIDecoder
from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Budget, Control, Window

WINDOW = Window(goal="list the files")
CALL = '{"tool":"fs","args":{"op":"list","path":"."}}'


def choice(text, finish="stop", logprobs=(-0.5, -0.25)):
    content = [{"token": "t", "logprob": value} for value in logprobs]
    return {
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish,
        "logprobs": {"content": content},
    }


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        reply = (200, {"choices": [choice(CALL)]})

        def do_GET(self):
            self._answer(200, {"data": [{"id": "first-model"}]})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.requests.append((self.path, self.headers.get("Authorization"), body))
            self._answer(*self.reply)

        def _answer(self, status, data):
            raw = data if isinstance(data, bytes) else json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        Handler.requests = []
        Handler.url = f"http://127.0.0.1:{http.server_port}"
        yield Handler
        http.shutdown()


def test_one_call(server, monkeypatch):
    monkeypatch.setenv(KEY, "k-123")
    decoder = OpenAIDecoder(server.url, None, call_schema())
    (segment,) = decoder.propose(WINDOW, Budget(max_tokens=77), Control())
    assert (segment.text, segment.logprob, segment.tokens, segment.complete) == (CALL, -0.75, 2, True)
    path, key, body = server.requests[-1]
    assert (path, key) == ("/v1/chat/completions", "Bearer k-123")
    assert (body["model"], body["max_tokens"], body["n"]) == ("first-model", 77, 1)
    asked = body["response_format"]["json_schema"]["schema"]
    assert len(asked["anyOf"]) == len(call_schema()["anyOf"]) and "x-span" not in json.dumps(asked)
    assert "list the files" in json.dumps(body["messages"])


def test_several_candidates(server):
    server.reply = (200, {"choices": [choice(CALL), choice(f"```json\n{CALL}\n```"), choice('{"tool', "length")]})
    decoder = OpenAIDecoder(server.url + "/v1/", "m", call_schema())
    segments = decoder.propose(WINDOW, Budget(k=3, temperature=0.8), Control())
    assert server.requests[-1][2]["n"] == 3 and server.requests[-1][2]["model"] == "m"
    assert [(s.text, s.complete) for s in segments] == [(CALL, True), ('{"tool', False)]


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        ((401, {"error": {"message": "no key"}}), InputError, KEY),
        ((404, {"error": {"message": "no model m"}}), InputError, "no model m.*#MODEL"),
        ((400, {"error": {"message": "schema too\nlarge"}}), InputError, "schema too large"),
        ((500, b"<html>oops</html>"), InfraError, "HTTP 500: <html>oops"),
        ((429, {"error": "slow down"}), InfraError, "429: slow down"),
        ((200, b"hello"), InfraError, "not JSON"),
        ((200, []), InfraError, "not a JSON object"),
        ((200, {"choices": []}), InfraError, "no choice"),
        ((200, {"choices": [{"text": "old style"}]}), InfraError, "no chat completion"),
    ],
)
def test_trouble_is_told_apart(server, reply, error, says):
    server.reply = reply
    with pytest.raises(error, match=says):
        OpenAIDecoder(server.url, "m", call_schema()).propose(WINDOW, Budget(), Control())


def test_nobody_there():
    with pytest.raises(InfraError, match="cannot be reached"):
        OpenAIDecoder("http://127.0.0.1:9", "m", call_schema()).propose(WINDOW, Budget(), Control())
