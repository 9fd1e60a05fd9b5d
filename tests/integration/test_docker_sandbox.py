"""The backend `docker` as the tools use it. Skipped, with the reason, where no engine runs or the image is missing.

`SANDBOX_UNDER_ATTACK=docker pytest tests/attack` runs all attacks against it.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_agent.checks import verify, verify_ro_binds
from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.tools.sandbox import DockerSandbox, Limits, docker_engine, make_sandbox
from hybrid_agent.tools.sandbox.stop import stoppable
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.types import CommandCheck, EqualsCheck, ValueCheck

SMALL = Limits(memory_mb=192, processes=32, file_mb=8, tmp_mb=8, disk_mb=24, output_kb=64, flood_mb=4)


def why_not() -> str | None:
    """Why no container can be started here, if so."""
    try:
        docker_engine.check_engine(docker_engine.image_name())
    except InputError as error:
        return str(error)
    return None


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    """Needed by all but the tests of errors, which are in their own file."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty workspace below folders closed to others."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture
def box(workspace: Path) -> Iterator[DockerSandbox]:
    """A sandbox with small limits and what checks need."""
    made = DockerSandbox(workspace, SMALL, verify_ro_binds())
    yield made
    made.close()


def containers(pid: int) -> int:
    """How many containers a process has, by their labels."""
    label = docker_engine.LABEL
    shown = docker_engine.engine("ps", "-a", "--filter", f"label={label}", "--format", f'{{{{.Label "{label}"}}}}')
    return sum(line.split()[1] == str(pid) for line in shown.splitlines())


def test_the_workspace_from_both_sides(box: DockerSandbox, workspace: Path) -> None:
    (workspace / "from-harness").write_text("one\n")
    (workspace / "from-harness").chmod(0o600)
    command = "pwd; cat from-harness; echo two >> from-harness; mkdir -p a/b; echo x > a/b/made; ln -s a l"
    command += "; chmod 640 a/b/made"
    done = box.run(["bash", "-c", command])
    assert (done.exit_code, done.stdout) == (0, "/workspace\none\n")
    assert (workspace / "from-harness").read_text() == "one\ntwo\n"
    assert stat.S_IMODE((workspace / "a/b/made").stat().st_mode) == 0o640
    assert {p.lstat().st_uid for p in workspace.rglob("*")} == {os.geteuid()}
    # Emptied and replaced between calls; read-only when asked.
    shutil.rmtree(workspace)
    workspace.mkdir()
    (workspace / "second").touch()
    assert box.run(["ls"]).stdout == "second\n"
    assert box.run(["touch", "third"], writable=False).exit_code != 0
    assert box.run(["sh", "-c", "touch third; ls"]).stdout == "second\nthird\n"
    shutil.rmtree(workspace)
    with pytest.raises(SandboxError, match="workspace is gone"):
        box.run(["ls"])


def test_snapshots_come_back_identical(box: DockerSandbox, workspace: Path, tmp_path: Path) -> None:
    make = "mkdir -p d/empty; echo x > d/f; chmod 750 d; chmod 604 d/f; ln -s d/f l; ln d/f d/hard"
    assert box.run(["bash", "-c", make]).exit_code == 0

    def tree() -> dict[str, tuple[object, ...]]:
        found = {}
        for path in sorted(workspace.rglob("*")):
            s = path.lstat()
            text = path.read_bytes() if stat.S_ISREG(s.st_mode) else b""
            found[str(path)] = (s.st_mode, s.st_uid, s.st_gid, s.st_nlink, text)
        return found

    store = SnapshotStore(tmp_path / "state", workspace)
    first, before = store.take(), tree()
    assert (
        box.run(["bash", "-c", "rm -rf d l; echo y > new; mkdir d; chmod 700 d; ln -s /etc/passwd d/f"]).exit_code == 0
    )
    store.restore(first)
    assert tree() == before
    assert box.run(["bash", "-c", "cat l; echo more >> d/f; ls d"]).stdout == "x\nempty\nf\nhard\n"


def test_endings_limits_and_variables(box: DockerSandbox) -> None:
    done = box.run(["sh", "-c", 'cat; echo "$NAME"; echo err >&2; exit 41'], stdin=b"given\n", env={"NAME": "a b\nc"})
    assert (done.exit_code, done.stdout, done.stderr, done.killed_by) == (41, "given\na b\nc\n", "err\n", None)
    assert box.run(["no-such-program"]).stderr == "no-such-program: command not found\n"
    assert box.run(["bash", "-c", "kill -TERM $$"]).exit_code == 143
    late = box.run(["sh", "-c", "echo early; setsid sleep 60 & sleep 60"], timeout_s=1.0)
    assert (late.stdout, late.timed_out, late.killed_by, late.exit_code) == ("early\n", True, "wall", 137)
    assert box.run(["sh", "-c", "ls /proc | grep -c '^[0-9]'"]).stdout == "4\n"  # the first, sh, ls, grep
    hog = "x = bytearray()\nwhile True: x += b'x' * (4 << 20)"
    assert box.run(["python3", "-c", hog], timeout_s=60).killed_by == "memory"
    # Memory that belongs to no process's own size: the first process may be the one to go, and the container with it.
    big = "import os\nfds = [os.memfd_create('m') for _ in range(99)]\nfor fd in fds: os.write(fd, bytes(4 << 20))"
    assert box.run(["python3", "-c", big], timeout_s=60).killed_by == "memory"
    assert box.run(["dd", "if=/dev/zero", "of=big", "bs=1M", "count=64"]).killed_by == "file_size"
    flood = box.run(["yes"], timeout_s=60)
    assert flood.killed_by == "output" and flood.truncated and len(flood.stdout) == 64 << 10
    assert box.run(["sh", "-c", "echo left > /tmp/left; echo left > /dev/shm/left"]).exit_code == 0
    assert box.run(["find", "/tmp", "/dev/shm", "/run", "-type", "f"]).stdout == ""


def test_nothing_is_open(box: DockerSandbox, tmp_path: Path) -> None:
    """A few attacks on one container; all of them: see above."""
    (tmp_path / "secret").write_text("secret")
    code = f"""
import os, socket
for what in ("open('{tmp_path}/secret')", "open('/proc/1/environ')", "open('/proc/1/mem', 'r+b')",
             "os.listdir('/proc/1/fd')", "open('/etc/planted', 'w')", "open('/sys/kernel/uevent_helper', 'w')",
             "open('/proc/sys/vm/swappiness', 'w')", "socket.create_connection(('1.1.1.1', 53), 2)",
             "os.chown('.', 0, 0)", "os.setuid(0)",
             "socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')", "os.chmod('.', 0o4755)"):
    try:
        eval(what)
    except OSError:
        continue
    print("escaped", what)
os.kill(1, 2)
print(open("/proc/self/status").read())
"""
    shown = box.run(["python3", "-c", code], timeout_s=20).stdout
    status = dict(line.split(":\t", 1) for line in shown.splitlines() if ":\t" in line)
    assert "escaped" not in shown
    assert (status["CapEff"], status["CapBnd"], status["NoNewPrivs"], status["Seccomp"]) == (
        "0" * 16,
        "0" * 16,
        "1",
        "2",
    )
    box.run(["bash", "-c", "kill -9 1; kill -STOP 1; kill -INT 1; kill -9 -1"])
    assert box.run(["echo", "alive"]).stdout == "alive\n"


def test_checks_and_calls_from_threads(box: DockerSandbox, workspace: Path) -> None:
    (workspace / "a.yaml").write_text("k: 1\n")
    checks = [
        EqualsCheck(path="a.yaml", text="k: 1"),
        ValueCheck(path="a.yaml", key="k", value="1"),
        CommandCheck(cmd="false"),
    ]
    assert [result.ok for result in verify(box, checks)] == [True, True, False]
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: said.append(box.run(["echo", str(n)], timeout_s=60).stdout))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [f"{n}\n" for n in range(4)]


def test_a_call_that_nobody_waits_for_ends(box: DockerSandbox) -> None:
    with stoppable() as stop:
        threading.Timer(1.0, stop.set).start()
        done = box.run(["sleep", "100"], timeout_s=100)
    assert done.killed_by == "cancelled"
    assert box.run(["echo", "alive"]).stdout == "alive\n"


def test_close_and_kill_leave_no_container(workspace: Path) -> None:
    own = os.getpid()
    before = containers(own)
    box = make_sandbox("docker", workspace)
    assert containers(own) == before + 1
    box.run(["ls"], writable=False)
    assert containers(own) == before + 2
    box.close()
    box.close()
    assert containers(own) == before
    with pytest.raises(SandboxError, match="closed"):
        box.run(["true"])
    code = """
import sys
from pathlib import Path
from hybrid_agent.tools.sandbox import make_sandbox
make_sandbox("docker", Path(sys.argv[1])).run(["sh", "-c", "touch up; sleep 300"], timeout_s=300)
"""
    harness = subprocess.Popen([sys.executable, "-c", code, str(workspace)])
    for _ in range(1200):
        if (workspace / "up").exists():
            break
        time.sleep(0.05)
    assert containers(harness.pid) == 1
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    for _ in range(600):
        if containers(harness.pid) == 0:
            break
        time.sleep(0.1)
    assert containers(harness.pid) == 0
