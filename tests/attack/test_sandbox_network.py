"""Attempts to talk to anything outside the jail."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A TCP server of the host on its loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def heard(server: socket.socket) -> bool:
    """True if a connection or a datagram has come in."""
    try:
        if server.type == socket.SOCK_DGRAM:
            server.recv(100)
        else:
            server.accept()[0].close()
    except TimeoutError:
        return False
    return True


def test_tcp_to_the_host(inside, outside, listener: socket.socket) -> None:
    code = 'attempt("connect", lambda: socket.create_connection(("127.0.0.1", A["port"]), 2))'
    port = listener.getsockname()[1]
    outside(code, port=port)
    assert heard(listener)
    inside(code, port=port)
    assert not heard(listener)


def test_tcp_by_bash_and_curl(jail, open_air, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    command = ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"]
    assert open_air.run(command).exit_code == 0 and heard(listener)
    assert jail.run(command).exit_code != 0
    assert jail.run(["curl", "-m", "2", "-s", f"http://127.0.0.1:{port}/"]).exit_code != 0
    assert not heard(listener)


def test_udp_to_the_host(jail, open_air) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)
        command = ["bash", "-c", f"echo leak > /dev/udp/127.0.0.1/{server.getsockname()[1]}"]
        open_air.run(command)
        assert heard(server)
        jail.run(command)
        assert not heard(server)


def test_other_machines(inside) -> None:
    code = """
for address in ("1.1.1.1", "8.8.8.8", "10.0.0.1", "169.254.169.254", "192.168.0.1", "172.17.0.1", "224.0.0.1",
                "255.255.255.255"):
    attempt("tcp " + address, lambda: socket.create_connection((address, 80), 2))
    def send():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return s.sendto(b"leak", (address, 53))
    attempt("udp " + address, send)
for address in ("2606:4700:4700::1111", "fe80::1", "ff02::1"):
    attempt("tcp " + address, lambda: socket.create_connection((address, 80), 2))
    attempt("udp " + address, lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"leak", (address, 53)))
"""
    assert len(inside(code).held) == 22


def test_names_are_not_resolved(inside) -> None:
    code = (
        'for name in ("example.com", "metadata.google.internal"): attempt(name, lambda: socket.getaddrinfo(name, 80))'
    )
    inside(code)


def test_abstract_unix_sockets_of_the_host(inside, outside) -> None:
    """They have no path and are cut off by the network namespace alone."""
    name = f"\0attack-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        server.settimeout(0.2)
        code = 'attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect(A["name"]))'
        outside(code, name=name)
        assert heard(server)
        inside(code, name=name)
        assert not heard(server)


def test_unix_sockets_of_the_host_by_path(inside, outside, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.settimeout(0.2)
        code = """
attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect(A["path"]))
for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/systemd/private", "/run/dbus/system_bus_socket",
             "/tmp/.X11-unix/X0"):
    attempt(path, lambda: socket.socket(socket.AF_UNIX).connect(path))
"""
        outside(code, path=str(path))
        assert heard(server)
        inside(code, path=str(path))
        assert not heard(server)


def test_raw_sockets(inside) -> None:
    code = """
for family in (socket.AF_INET, socket.AF_INET6):
    for protocol in (1, 58, 255):
        attempt(f"raw {family} {protocol}", lambda: socket.socket(family, socket.SOCK_RAW, protocol))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300))
"""
    inside(code)


def test_unusual_socket_families(inside) -> None:
    """Above all vsock, which reaches the machine that hosts a virtual one past every namespace."""
    code = """
for family in [*range(3, 10), *range(11, 16), *range(17, 64), 2**31 + 40, 2**32 + 40]:
    attempt(str(family), lambda: syscall(A["socket"], family, 1, 0))
    attempt(str(family) + " datagram", lambda: syscall(A["socket"], family, 2, 0))
attempt("vsock to the host", lambda: socket.socket(40, socket.SOCK_STREAM).connect((2, 1024)))
attempt("kernel crypto", lambda: socket.socket(38, socket.SOCK_SEQPACKET, 0).bind(("hash", "sha1")))
"""
    import pyseccomp

    tried = inside(code, socket=pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, "socket"))
    assert len(tried.held) == 124


def test_the_network_cannot_be_reconfigured(inside) -> None:
    code = """
import struct, fcntl
def netlink(kind, body):
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.bind((0, 0))
    s.send(struct.pack("IHHII", 16 + len(body), kind, 0x605, 1, 0) + body)
    answer = s.recv(4096)
    code = struct.unpack_from("i", answer, 16)[0]
    if code < 0:
        raise OSError(-code, os.strerror(-code))
attempt("new link", netlink, 16, struct.pack("BxHiII", 0, 0, 0, 1, 1))
address = struct.pack("HH4s", 8, 2, bytes([10, 9, 8, 7]))
attempt("new address", netlink, 20, struct.pack("BBBBi", 2, 8, 0, 0, 1) + address)
route = struct.pack("HHi", 8, 4, 1)
attempt("new route", netlink, 24, struct.pack("BBBBBBBBI", 2, 0, 0, 0, 254, 4, 0, 1, 0) + route)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt("loopback down", lambda: fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0)))
attempt("tunnel", lambda: os.open("/dev/net/tun", os.O_RDWR))
"""
    inside(code)


def test_there_is_only_a_loopback(jail) -> None:
    assert jail.run(["python3", "-c", "import socket; print(socket.if_nameindex())"]).stdout == "[(1, 'lo')]\n"


def test_the_loopback_inside_works(jail) -> None:
    """Not an attack: services under test talk to themselves. It also shows that sockets as such were tried above."""
    code = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    server.accept()[0].sendall(b"hello")
    print(client.recv(5))
"""
    assert jail.run(["python3", "-c", code]).stdout == "b'hello'\n"
