"""Who may call, from where, with what; and how a server ends."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from hybrid_agent.config.serve import AuthConfig, ClientConfig, LimitsConfig, TlsConfig
from hybrid_agent.decoder.scripted import ScriptedDecoder
from hybrid_agent.errors import InfraError, InputError
from hybrid_agent.types import Budget, Control, Segment, ToolCall, Window
from services import decoder as decoder_service
from services import tools as tools_service
from services import wire
from services.address import TOKEN, Address, parse_address
from services.bench.farm import Farm, farm, folder
from services.channel import Channel
from services.clients import DecoderClient, ToolboxClient
from services.server import Running, start
from services.sessions import Sessions
from services.wire import tools_pb2

SECRET = "a-token-of-good-length-0123456789"
WINDOW = Window(goal="g")
QUICK = ClientConfig(patience_s=0, call_s=20, propose_s=20)


class Slow:
    """Writes one candidate once it may."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def propose(self, window: Window, budget: Budget, control: Control, watch: Any = None) -> list[Segment]:
        self.begun.set()
        assert self.go.wait(60)
        return [Segment(text="{}")]


def scripted(decoder: Any, address: Address, **more: Any) -> Running:
    service = decoder_service.DecoderService(decoder)
    return start(lambda server: decoder_service.register(service, server), address, **more)


def client(address: Address, auth: AuthConfig | None = None) -> DecoderClient:
    return DecoderClient(Channel("decoder", address, auth, QUICK))


def test_sockets_and_their_folder_are_for_their_owner_alone() -> None:
    with farm("tools") as made:
        path = made.running["tools"].address.path
        assert path is not None
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_ISSOCK(path.stat().st_mode)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with pytest.raises(InputError, match="listens there already"):
            Farm(made.base).start("tools")
        assert made.services.away() == ["decoder", "scorer", "planner"]
        made.stop("tools")
        assert not path.exists()
        path.parent.chmod(0o755)
        with pytest.raises(InputError, match="entered by others"):
            made.start("tools")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "0.0.0.0:0", "[::]:0"])
def test_nothing_listens_on_tcp_without_token_or_certificates(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    with pytest.raises(InputError, match="open to everybody"):
        scripted(ScriptedDecoder([]), parse_address(address))


def test_a_call_without_the_token_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    file = tmp_path / "token"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    auth = AuthConfig(token_file=str(file))
    running = scripted(ScriptedDecoder(["{}"]), parse_address("127.0.0.1:0"), auth=auth)
    try:
        with pytest.raises(InfraError, match="refused us"):
            client(running.address).propose(WINDOW, Budget(), Control())
        other = tmp_path / "other"
        other.write_text(SECRET[:-1] + "x")
        other.chmod(0o600)
        with pytest.raises(InfraError, match="refused us"):
            client(running.address, AuthConfig(token_file=str(other))).propose(WINDOW, Budget(), Control())
        with grpc.insecure_channel(running.address.target) as channel:
            health = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service="hybrid.v1.Decoder")
            )
            assert health.status == health_pb2.HealthCheckResponse.SERVING
            ask = reflection_pb2.ServerReflectionRequest(list_services="")
            reflect = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
            with pytest.raises(grpc.RpcError) as refused:
                list(reflect(iter([ask])))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
            listed = list(reflect(iter([ask]), metadata=(("authorization", f"Bearer {SECRET}"),)))
            names = {one.name for one in listed[0].list_services_response.service}
            assert {"hybrid.v1.Decoder", "grpc.health.v1.Health"} <= names
        assert client(running.address, auth).propose(WINDOW, Budget(), Control())[0].text == "{}"
    finally:
        running.drain()


def test_a_token_that_others_can_read_or_that_is_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    file.chmod(0o644)
    with pytest.raises(InputError, match="others can read"):
        scripted(ScriptedDecoder([]), parse_address("127.0.0.1:0"), auth=AuthConfig(token_file=str(file)))
    file.write_text("short")
    file.chmod(0o600)
    with pytest.raises(InputError, match="not a token"):
        scripted(ScriptedDecoder([]), parse_address("127.0.0.1:0"), auth=AuthConfig(token_file=str(file)))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_with_certificates_only_those_signed_by_our_authority_come_in(tmp_path: Path) -> None:
    ours = certificates(tmp_path / "ours")
    theirs = certificates(tmp_path / "theirs")
    running = scripted(ScriptedDecoder(["{}"]), parse_address("127.0.0.1:0"), auth=AuthConfig(tls=ours))
    try:
        assert client(running.address, AuthConfig(tls=ours)).propose(WINDOW, Budget(), Control())[0].text == "{}"
        mixed = TlsConfig(cert=theirs.cert, key=theirs.key, ca=ours.ca)
        for stranger in (AuthConfig(tls=mixed), AuthConfig()):
            with pytest.raises(InfraError, match="decoder service is away"):
                client(running.address, stranger).propose(WINDOW, Budget(), Control())
    finally:
        running.drain()


def certificates(folder: Path) -> TlsConfig:
    """An authority and one certificate for 127.0.0.1, usable on both sides."""
    folder.mkdir()

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority")
    openssl("req", *key, "-keyout", "key.pem", "-out", "node.csr", "-subj", "/CN=node")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "node.csr", *signed, "-out", "cert.pem")
    return TlsConfig(cert=str(folder / "cert.pem"), key=str(folder / "key.pem"), ca=str(folder / "ca.pem"))


def test_what_is_under_way_ends_and_what_is_new_is_refused_while_draining() -> None:
    slow = Slow()
    with folder() as base:
        running = scripted(slow, parse_address(f"unix:{base}/s/d.sock"), limits=LimitsConfig(drain_s=60))
        found: list[Any] = []
        caller = threading.Thread(
            target=lambda: found.extend(client(running.address).propose(WINDOW, Budget(), Control()))
        )
        other = client(running.address)
        other._channel.healthy()  # connected before the end begins
        caller.start()
        assert slow.begun.wait(60)
        ending = threading.Thread(target=running.drain)
        ending.start()
        until = time.monotonic() + 60
        while other._channel.healthy():
            assert time.monotonic() < until
            time.sleep(0.02)
        with pytest.raises(InfraError, match="decoder service is away"):
            other.propose(WINDOW, Budget(), Control())
        assert not found
        slow.go.set()
        caller.join(60)
        ending.join(60)
        assert [segment.text for segment in found] == ["{}"]


def test_more_calls_than_it_takes_on_are_refused_at_once() -> None:
    slow = Slow()
    with folder() as base:
        running = scripted(slow, parse_address(f"unix:{base}/s/d.sock"), limits=LimitsConfig(calls=1, drain_s=0))
        caller = threading.Thread(target=lambda: client(running.address).propose(WINDOW, Budget(), Control()))
        caller.start()
        assert slow.begun.wait(60)
        with pytest.raises(InfraError, match="overloaded"):
            client(running.address).propose(WINDOW, Budget(), Control())
        slow.go.set()
        caller.join(60)
        running.drain()


def test_a_message_over_the_limit_is_refused(tmp_path: Path) -> None:
    with folder() as base:
        sessions = Sessions(tmp_path / "runs")
        service = tools_service.ToolsService(sessions, "none")
        running = start(
            lambda server: tools_service.register(service, server),
            parse_address(f"unix:{base}/s/t.sock"),
            LimitsConfig(message_mb=0.01),
        )
        channel = Channel("tools", running.address, config=QUICK)
        with pytest.raises(InfraError, match="overloaded"):
            channel.ask(ToolboxClient(channel, "s", Path())._stub.Files, tools_pb2.FilesRequest(session="x" * 20_000))
        running.drain()


CALL = ToolCall(tool="shell", args={"cmd": "true"}).model_dump_json()
BAD = [
    ("Open", {"session": "../x", "approve": "deny"}, "session"),
    ("Open", {"session": "s", "approve": "perhaps"}, "approve"),
    ("Open", {"session": "s", "approve": "deny", "sandbox": "none"}, "sandbox"),
    ("Open", {"session": "s", "approve": "deny", "setup": ["{}"]}, "setup.0"),
    ("Open", {"session": "s", "approve": "deny", "setup": ['{"path":"../x","text":""}']}, "setup.0"),
    ("Open", {"session": "s", "approve": "deny", "setup": ['{"path":"l","link":"../../x"}']}, "setup.0"),
    ("Files", {"session": "nobody"}, "session"),
    ("Check", {"session": "ok", "call": "{"}, "call"),
    ("Check", {"session": "ok", "call": '{"tool":"shell"}'}, "call.args"),
    ("Check", {"session": "ok", "call": CALL, "answer": 9}, "answer"),
    ("Execute", {"session": "ok", "key": "short", "call": CALL}, "key"),
    ("Execute", {"session": "ok", "key": "0123456789", "call": "[]"}, "call"),
    ("Verify", {"session": "ok", "checks": ['{"kind":"nothing"}']}, "checks.0"),
    ("Verify", {"session": "ok", "checks": ['{"kind":"exists","path":"a"}'] * 100}, "checks"),
    ("Rollback", {"session": "ok", "snapshot": "000099"}, "snapshot"),
    ("Rollback", {"session": "ok", "snapshot": "../../etc"}, "snapshot"),
]


@pytest.fixture(scope="module")
def tools() -> Any:
    with farm("tools") as made:
        made.services.open("ok", goal="g")
        yield made


@pytest.mark.parametrize(("method", "fields", "field"), BAD, ids=[f"{b[0]}-{b[2]}-{i}" for i, b in enumerate(BAD)])
def test_a_bad_message_is_answered_with_the_name_of_its_field(
    tools: Farm, method: str, fields: dict[str, Any], field: str
) -> None:
    channel = tools.services.channels["tools"]
    stub = wire.tools_pb2_grpc.ToolsStub(channel.grpc)
    with pytest.raises(grpc.RpcError) as caught:
        getattr(stub, method)(getattr(tools_pb2, f"{method}Request")(**fields), timeout=60)
    wanted = grpc.StatusCode.NOT_FOUND if field == "session" and method == "Files" else grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.code() is wanted, caught.value.details()
    assert caught.value.details().startswith(field)
    with pytest.raises(InputError) as error:
        channel.ask(getattr(stub, method), getattr(tools_pb2, f"{method}Request")(**fields))
    assert error.value.field == field or str(error.value.field).startswith(field + ".")


def test_bytes_that_are_no_message_are_a_bad_argument(tools: Farm) -> None:
    raw = tools.services.channels["tools"].grpc
    for method in ("/hybrid.v1.Tools/Check", "/grpc.health.v1.Health/Check"):
        with pytest.raises(grpc.RpcError) as caught:
            raw.unary_unary(method)(b"\xff\xff\xff", timeout=60)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "message" in caught.value.details()


def test_a_setup_cannot_write_through_a_link(tools: Farm, tmp_path: Path) -> None:
    from hybrid_agent.types import SetupItem

    secret = tmp_path / "host.txt"
    secret.write_text("mine")
    items = [SetupItem(path="out", link=os.path.relpath(tmp_path, "/")), SetupItem(path="out/host.txt", text="yours")]
    for setup in (items, [SetupItem(path="l", link=str(tmp_path)), SetupItem(path="l/host.txt", text="yours")]):
        try:
            tools.services.open("links", setup=setup)
            tools.services.toolbox("links").close(remove=True)
        except InputError:
            pass
    assert secret.read_text() == "mine"
