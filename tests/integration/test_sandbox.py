"""The sandbox as the tools use it: the workspace from both sides, owners, limits by name, errors people see."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from hybrid_agent.errors import InputError, SandboxError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import BubblewrapSandbox, Limits, make_sandbox
from hybrid_agent.tools.sandbox.cgroups import PREFIX, make_group, sweep
from hybrid_agent.tools.sandbox.disk import MAX_DEPTH, TooDeep, usage

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty workspace below folders closed to others."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture(params=["call", "session"])
def box(request: pytest.FixtureRequest, workspace: Path) -> Iterator[Sandbox]:
    """Both kinds of jail."""
    made = make_sandbox("bubblewrap", workspace, session=request.param == "session")
    yield made
    made.close()


def test_the_workspace_from_both_sides(box: Sandbox, workspace: Path) -> None:
    (workspace / "from-harness").write_text("one\n")
    (workspace / "from-harness").chmod(0o600)
    command = "pwd; cat from-harness; echo two >> from-harness; mkdir -p a/b; echo x > a/b/made; ln -s a l"
    command += "; chmod 640 a/b/made"
    done = box.run(["bash", "-c", command])
    assert (done.exit_code, done.stdout) == (0, "/workspace\none\n")
    assert (workspace / "from-harness").read_text() == "one\ntwo\n"
    assert stat.S_IMODE((workspace / "a/b/made").stat().st_mode) == 0o640
    assert (workspace / "l").readlink() == Path("a")
    assert {p.lstat().st_uid for p in workspace.rglob("*")} == {os.geteuid()}
    shutil.rmtree(workspace / "a")
    assert box.run(["ls"]).stdout == "from-harness\nl\n"


def test_the_workspace_may_be_emptied_or_replaced(box: Sandbox, workspace: Path) -> None:
    assert box.run(["touch", "first"]).exit_code == 0
    (workspace / "first").unlink()
    assert box.run(["ls"]).stdout == ""
    shutil.rmtree(workspace)
    workspace.mkdir()
    (workspace / "second").touch()
    assert box.run(["ls"]).stdout == "second\n"
    assert box.run(["touch", "third"]).exit_code == 0 and (workspace / "third").exists()
    shutil.rmtree(workspace)
    with pytest.raises(SandboxError, match="workspace is gone"):
        box.run(["ls"])


@pytest.mark.parametrize(
    ("argv", "code", "stdout", "stderr"),
    [
        (["true"], 0, "", ""),
        (["sh", "-c", "echo out; echo err >&2; exit 41"], 41, "out\n", "err\n"),
        (["bash", "-c", "kill -TERM $$"], 143, "", ""),
        (["no-such-program", "x"], 127, "", "no-such-program: command not found\n"),
        (["echo", "-n", "$HOME *"], 0, "$HOME *", ""),
        (["exit", "3"], 127, "", "exit: command not found\n"),
        (["/usr/bin/python3", "-c", "print('ä€')"], 0, "ä€\n", ""),
    ],
)
def test_endings(box: Sandbox, argv: list[str], code: int, stdout: str, stderr: str) -> None:
    done = box.run(argv)
    assert (done.exit_code, done.stdout, done.stderr) == (code, stdout, stderr)
    assert (done.timed_out, done.killed_by) == (False, None)


def test_input_and_variables(box: Sandbox) -> None:
    done = box.run(["sh", "-c", 'cat; echo "$NAME"'], stdin=b"given\n", env={"NAME": "a b\nc"})
    assert done.stdout == "given\na b\nc\n"


def test_the_timeout(box: Sandbox) -> None:
    done = box.run(["sh", "-c", "echo early; sleep 60"], timeout_s=0.4)
    assert (done.stdout, done.timed_out, done.killed_by, done.exit_code) == ("early\n", True, "wall", 137)


@pytest.mark.parametrize("writable", [True, False])
def test_waiting_takes_no_cpu(box: Sandbox, writable: bool) -> None:
    before = time.thread_time()
    assert box.run(["sleep", "1.5"], writable=writable).exit_code == 0
    assert time.thread_time() - before < 0.2  # a loop that does not wait takes all of the 1.5 seconds


def test_ordinary_tools_work(box: Sandbox) -> None:
    script = """set -e
git init -q repo && cd repo && git config user.email a@b && git config user.name n
echo x > f && git add f && git commit -qm first && git log --oneline | wc -l
cd .. && tar czf a.tgz repo && mkdir out && tar xzf a.tgz -C out && diff -r repo out/repo
zip -qr a.zip repo && printf 'all:\\n\\techo made > made\\n' > Makefile && make -s && cat made
python3 -c 'import json, sqlite3, subprocess, multiprocessing as m; print(m.Pool(2).map(abs, [-1, -2]))'
seq 3 | xargs -P2 -n1 echo | sort | tr '\\n' ' '; mkfifo p; (echo fifo > p &) ; cat p; date +%Z; whoami; touch $(mktemp)
awk 'BEGIN { print 6*7 }'; bc <<< 2^10; jq -n 1+1; perl -e 'print "perl\\n"'; find . -name made | sed s/made/found/
"""
    done = box.run(["bash", "-c", script], timeout_s=20)
    assert done.stderr == "" and done.exit_code == 0
    assert done.stdout.split() == "1 made [1, 2] 1 2 3 fifo UTC agent 42 1024 2 perl ./found".split()


def test_calls_from_many_threads(box: Sandbox, workspace: Path) -> None:
    wrong: list[str] = []

    def work(n: int) -> None:
        for k in range(6):
            done = box.run(["sh", "-c", f"echo {n}.{k} > f{n}.{k}; cat f{n}.{k}"], timeout_s=60)
            if done.stdout != f"{n}.{k}\n":
                wrong.append(str(done))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(list(workspace.iterdir())) == 36


def test_a_closed_sandbox_refuses(box: Sandbox) -> None:
    box.run(["true"])
    box.close()
    box.close()
    with pytest.raises(SandboxError, match="closed"):
        box.run(["true"])


@ROOT_ONLY
def test_a_workspace_of_someone_else(workspace: Path) -> None:
    """Run as root on a person's folder: what harness and jail make belongs to that person."""
    (workspace / "theirs").write_text("x")
    for path in (workspace, workspace / "theirs"):
        os.chown(path, 4321, 4322)
    box = make_sandbox("bubblewrap", workspace)
    try:
        (workspace / "by-harness").write_text("x")
        command = "echo y >> theirs; echo y >> by-harness; echo y > by-jail; chmod 700 theirs"
        assert box.run(["sh", "-c", command]).exit_code == 0
    finally:
        box.close()
    assert {(p.stat().st_uid, p.stat().st_gid) for p in workspace.iterdir()} == {(4321, 4322)}


@ROOT_ONLY
def test_a_file_system_that_cannot_map_ids(tmp_path: Path) -> None:
    """Overlay file systems (containers): files change hands while the sandbox is open, then come back."""
    for name in ("lower", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    options = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    mounted = subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, tmp_path / "merged"], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no overlay file system can be mounted here")
    try:
        workspace = tmp_path / "merged/workspace"
        workspace.mkdir()
        for session in (False, True):
            box = make_sandbox("bubblewrap", workspace, session=session)
            (workspace / "file").write_text("harness\n")
            assert box.run(["sh", "-c", "echo jail >> file; echo new > made"]).exit_code == 0
            box.close()
            assert (workspace / "file").read_text() == "harness\njail\n"
            assert {p.stat().st_uid for p in (workspace, *workspace.iterdir())} == {0}
    finally:
        subprocess.run(["umount", tmp_path / "merged"], check=True)


@ROOT_ONLY
def test_it_works_without_root(tmp_path: Path) -> None:
    """The doctor, run by a user without any rights, with the system's Python and our packages."""
    site = [p for p in sys.path if p.endswith("site-packages")]
    root = Path(__file__).parents[2]
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-B", "-m"]
    env = {"PYTHONPATH": ":".join([str(root), *site]), "PATH": "/usr/bin:/bin"}
    probe = subprocess.run([*command[:-1], "-c", "import pydantic"], env=env, cwd="/", capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("our packages cannot be read by another user here")
    done = subprocess.run(
        [*command, "hybrid_agent.tools.sandbox.doctor"], env=env, cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode and "blocked" in done.stdout:
        pytest.skip("this machine lets only root make user namespaces")
    assert done.returncode == 0 and "user namespace of uid 65534" in done.stdout, done.stdout + done.stderr


def test_limits_hold_for_all_calls_together(workspace: Path) -> None:
    """Where control groups are writable, two calls at once share one memory cap."""
    box = BubblewrapSandbox(workspace, Limits(memory_mb=160))
    try:
        if box.strength.weaker:
            pytest.skip("no control groups here")
        hog = "x = bytearray()\nfor _ in range(30): x += b'x' * (4 << 20)\nimport time; time.sleep(1)"
        done = []
        threads = [threading.Thread(target=lambda: done.append(box.run(["python3", "-c", hog]))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert "memory" in {d.killed_by for d in done}
    finally:
        box.close()


def test_empty_groups_of_the_dead_are_swept() -> None:
    group = make_group(Limits())
    if not group.version:
        pytest.skip("no control groups here")
    stale = [d.with_name(f"{PREFIX}4194303-1-0") for d in group.dirs]
    for d in stale:
        d.mkdir()
    sweep()
    assert not any(d.exists() for d in stale) and all(d.exists() for d in group.dirs)
    group.remove()
    assert not any(d.exists() for d in group.dirs)


def test_usage_counts_what_is_there(workspace: Path) -> None:
    (workspace / "a").write_bytes(b"x" * 100_000)
    os.link(workspace / "a", workspace / "b")
    (workspace / "link").symlink_to("/usr")
    size, entries = usage(workspace)
    assert entries == 3 and 100_000 <= size < 200_000
    deep = workspace / "/".join(["d"] * (MAX_DEPTH + 2))
    deep.mkdir(parents=True)
    with pytest.raises(TooDeep):
        usage(workspace)


def test_the_backend_none_only_by_name(workspace: Path) -> None:
    box = make_sandbox("none", workspace)
    assert box.run(["pwd"]).stdout == f"{workspace}\n"
    assert box.run(["no-such-program"]).exit_code == 127
    assert box.run(["sleep", "9"], timeout_s=0.2).killed_by == "wall"
    box.close()
    with pytest.raises(SandboxError):
        box.run(["true"])


def test_bad_input_says_what_to_do(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"backend: unknown sandbox backend 'jar'.*fix: use bubblewrap, docker or none"
    ):
        make_sandbox("jar", workspace)
    with pytest.raises(InputError, match="is not a folder"):
        make_sandbox("bubblewrap", tmp_path / "missing")
    for target in ("relative", "/workspace/x", "/usr/x", "/a/../etc", "/"):
        with pytest.raises(InputError, match="cannot bind at"):
            make_sandbox("bubblewrap", workspace, ro_binds={target: tmp_path})
    with pytest.raises(InputError, match="there is nothing at"):
        make_sandbox("bubblewrap", workspace, ro_binds={"/opt/x": tmp_path / "missing"})
    with pytest.raises(ValidationError, match="memory_mb"):
        Limits(memory_mb=-1)
    box = make_sandbox("bubblewrap", workspace)
    with contextlib.closing(box):
        for argv, env in (([], None), (["a\0b"], None), (["true"], {"A=B": "c"}), (["true"], {"": "c"})):
            with pytest.raises(InputError):
                box.run(argv, env=env)


def test_a_missing_bubblewrap_names_the_command(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hybrid_agent.tools.sandbox import command

    command.bwrap.cache_clear()
    monkeypatch.setattr(command, "SEARCH", "/nonexistent")
    try:
        with pytest.raises(InputError, match="apt-get install bubblewrap"):
            make_sandbox("bubblewrap", workspace)
    finally:
        command.bwrap.cache_clear()


def test_the_doctor_speaks() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hybrid_agent.tools.sandbox.doctor"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stderr == ""
    assert [line.split()[0] for line in done.stdout.splitlines()][:5] == [
        "backend",
        "user",
        "cgroup",
        "seccomp",
        "workspace",
    ]
