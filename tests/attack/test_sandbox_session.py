"""Attacks on the standing jail, where calls follow one another in one process namespace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import attack

from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import Limits, make_sandbox


@pytest.fixture
def session(workspace: Path, limits: Limits) -> Iterator[Sandbox]:
    """A standing jail."""
    box = make_sandbox("bubblewrap", workspace, limits, session=True)
    yield box
    box.close()


def alive(session: Sandbox) -> bool:
    return session.run(["echo", "alive"]).stdout == "alive\n"


def test_processes_do_not_outlive_their_call(session) -> None:
    stay = "import signal,time; [signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]; open('up', 'w'); time.sleep(60)"
    code = 'setsid -f python3 -c "$0"; for _ in $(seq 100); do [ -e up ] && break; sleep 0.05; done; echo up'
    assert session.run(["bash", "-c", code, stay]).stdout == "up\n"
    seen = session.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]).stdout
    assert "signal,time" not in seen
    assert (
        int(session.run(["python3", "-c", "import os; print(sum(n.isdigit() for n in os.listdir('/proc')))"]).stdout)
        <= 3
    )


def test_scratch_does_not_outlive_its_call(session) -> None:
    code = (
        "mkdir -p /tmp/a/b /dev/shm/c; echo x > /tmp/a/b/x; echo x > /tmp/.h; ln -s / /tmp/l; chmod 000 /tmp/a/b /tmp/a"
    )
    assert session.run(["sh", "-c", code]).exit_code == 0
    assert session.run(["find", "/tmp", "/dev/shm", "-mindepth", "1"]).stdout == ""
    assert alive(session)


def test_the_loop_cannot_be_opened(session) -> None:
    """Its pipes carry the results of later calls."""
    code = """
loop = os.getppid()
for number in range(16):
    attempt(f"write {number}", lambda: os.open(f"/proc/{loop}/fd/{number}", os.O_WRONLY))
    attempt(f"read {number}", lambda: os.open(f"/proc/{loop}/fd/{number}", os.O_RDONLY))
attempt("memory", lambda: os.open(f"/proc/{loop}/mem", os.O_RDWR))
attempt("environment", lambda: open(f"/proc/{loop}/environ").read())
attempt("maps", lambda: open(f"/proc/{loop}/maps").read())
"""
    tried = attack(session, code)
    assert len(tried.held) == 35 and not tried.escaped


@pytest.mark.parametrize(
    "code", ["kill -9 $PPID; sleep 5", "kill -STOP $PPID; sleep 5", "kill -9 -1", "kill -9 1; kill -9 0"]
)
def test_a_killed_loop_costs_one_answer_only(session, code: str) -> None:
    assert alive(session)
    done = session.run(["bash", "-c", code], timeout_s=1)
    assert done.exit_code != 0 and done.killed_by in ("session", "wall", None)
    assert alive(session)


@pytest.mark.parametrize("code", ["b() { b | b & }; b; sleep 1", "yes", "sleep 100", "yes >&2"])
def test_limits_hold_and_the_jail_goes_on(session, code: str) -> None:
    session.run(["bash", "-c", code], timeout_s=2)
    assert alive(session)


def test_memory_hog(session, limits) -> None:
    done = session.run(["python3", "-c", f"x = b'x' * ({2 * limits.memory_mb} << 20); print('got')"])
    assert "got" not in done.stdout and done.exit_code != 0
    assert alive(session)


def test_read_only_calls(session, workspace: Path) -> None:
    assert session.run(["touch", "made"]).exit_code == 0
    assert session.run(["touch", "other"], writable=False).exit_code != 0
    assert session.run(["ls"], writable=False).stdout == "made\n"
    assert [p.name for p in workspace.iterdir()] == ["made"]


def test_host_files_and_network_stay_closed(session, secret: Path) -> None:
    code = """
attempt("file", lambda: open(A["path"]).read())
attempt("shadow", lambda: open("/etc/shadow").read())
attempt("network", lambda: socket.create_connection(("1.1.1.1", 53), 2))
attempt("namespace", lambda: syscall(A["unshare"], 0x10000000))
attempt("settings", put, "/proc/sys/kernel/core_pattern", "x")
"""
    import pyseccomp

    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, "unshare")
    tried = attack(session, code, path=str(secret), unshare=number)
    assert len(tried.held) == 5 and not tried.escaped
