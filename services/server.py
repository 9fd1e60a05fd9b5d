"""One gRPC server: sockets, certificates, health, reflection, limits, and an end without losing what is under way."""

from __future__ import annotations

import logging
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from hybrid_agent.config.serve import AuthConfig, LimitsConfig
from hybrid_agent.errors import InputError
from services.address import Address, check_guarded, prepare_socket, read_file, read_token
from services.guard import Guard, Observer

log = logging.getLogger("services")
Register = Callable[[grpc.Server], Sequence[str]]  # adds servicers; returns their full names
SERVING = health_pb2.HealthCheckResponse.SERVING


class Running:
    """A server that listens.

    Attributes:
        address: where, with the port that was chosen for port 0.
        health: says what is served; `""` is the whole server.
    """

    def __init__(self, server: grpc.Server, address: Address, health_: Any, names: Sequence[str], drain_s: float):
        self.server, self.address, self.health, self.names, self.drain_s = server, address, health_, names, drain_s
        self._over = threading.Event()

    def drain(self) -> None:
        """Stop: new calls are refused at once, those under way have `drain_s` to end, then they are cancelled."""
        if self._over.is_set():
            return
        self.health.enter_graceful_shutdown()
        self.server.stop(self.drain_s).wait()
        if self.address.path is not None:
            self.address.path.unlink(missing_ok=True)
        self._over.set()

    def wait(self) -> None:
        """Until somebody has drained it."""
        self._over.wait()


def start(
    register: Register,
    address: Address,
    limits: LimitsConfig | None = None,
    auth: AuthConfig | None = None,
    observe: Observer | None = None,
) -> Running:
    """Listen.

    Args:
        register: adds the servicers and returns their names, for health and reflection.
        address: where; port 0 takes a free one.
        limits: size of messages, calls at a time, and how long the end may take.
        auth: token and certificates; TCP needs one of them.
        observe: told of each call that has ended.

    Raises:
        InputError: the address is open to everybody, taken, or not ours to use; a file of `auth` cannot be read.
    """
    limits, auth = limits or LimitsConfig(), auth or AuthConfig()
    token = read_token(auth)
    check_guarded(address, auth, token)
    size = int(limits.message_mb * 2**20)
    server = grpc.server(
        futures.ThreadPoolExecutor(limits.workers, thread_name_prefix="rpc"),
        interceptors=(Guard(token, observe),),
        maximum_concurrent_rpcs=limits.calls,
        options=(
            ("grpc.max_receive_message_length", size),
            ("grpc.max_send_message_length", size),
            ("grpc.so_reuseport", 0),
        ),
    )
    names = [*register(server), health.SERVICE_NAME, reflection.SERVICE_NAME]
    checks = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection(names, server)
    bound = _bind(server, address, auth)
    for name in ("", *names):
        checks.set(name, SERVING)
    server.start()
    return Running(server, bound, checks, names, limits.drain_s)


def run_until_signal(running: Running) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain. A second one ends at once."""
    ask = threading.Event()

    def heard(number: int, frame: Any) -> None:
        if ask.is_set():
            os._exit(128 + number)
        ask.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)
    print(f"listening at {running.address}", file=sys.stderr, flush=True)
    while not ask.wait(3600):
        pass
    running.drain()


def _bind(server: grpc.Server, address: Address, auth: AuthConfig) -> Address:
    if address.path is not None:
        prepare_socket(address.path)
        before = os.umask(0o177)
        try:
            server.add_insecure_port(address.target)
        except RuntimeError as error:
            raise InputError(f"cannot listen: {error}", where=str(address), field="address") from None
        finally:
            os.umask(before)
        address.path.chmod(0o600)
        assert stat.S_IMODE(address.path.stat().st_mode) == 0o600
        return address
    try:
        if auth.tls is None:
            port = server.add_insecure_port(address.target)
        else:
            pairs = ((read_file(auth.tls.key, "key"), read_file(auth.tls.cert, "cert")),)
            credentials = grpc.ssl_server_credentials(pairs, read_file(auth.tls.ca, "ca"), require_client_auth=True)
            port = server.add_secure_port(address.target, credentials)
    except RuntimeError as error:
        fix = "is the port free, and the host one of this machine?"
        raise InputError(f"cannot listen: {error}", where=str(address), field="address", fix=fix) from None
    return Address(host=address.host, port=port)
