"""Attempts to learn what the harness knows: its environment, descriptors, command lines, processes."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

from conftest import BACKEND, inside_id

from hybrid_agent.tools.sandbox import make_sandbox

HARNESS = """
import sys
from pathlib import Path
from hybrid_agent.tools.sandbox import make_sandbox
box = make_sandbox(sys.argv[1], Path(sys.argv[2]))
code = '''
import glob
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/task/*/environ"):
    try:
        print(path, open(path, "rb").read())
    except OSError as error:
        print(path, error)
'''
done = box.run(["/usr/bin/python3", "-c", code], timeout_s=30)
print(done.stdout)
box.close()
"""


def environments_seen(backend: str, workspace: Path, secret: str) -> str:
    env = {**os.environ, "API_KEY": secret}
    argv = [sys.executable, "-c", HARNESS, backend, str(workspace)]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_harness_environment_is_not_readable(workspace: Path) -> None:
    secret = f"key-{uuid.uuid4()}"
    seen = environments_seen(BACKEND, workspace, secret)
    assert "/proc/1/environ" in seen and secret not in seen
    assert secret in environments_seen("none", workspace, secret)


def test_only_named_variables_arrive(jail, monkeypatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "leak")
    shown = jail.run(["env"], env={"GIVEN": "yes"}).stdout
    names = {line.split("=")[0] for line in shown.splitlines()}
    assert names == {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TERM", "PAGER", "GIT_PAGER", "GIT_TERMINAL_PROMPT",
                     "PYTHONDONTWRITEBYTECODE", "GIVEN", *(["PWD"] if BACKEND == "bubblewrap" else [])}  # fmt: skip


def test_no_descriptor_leaks(jail, secret: Path) -> None:
    leaked = os.open(secret, os.O_RDONLY)
    os.set_inheritable(leaked, True)
    try:
        code = "import os\nprint(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1])"
        assert jail.run(["python3", "-c", code]).stdout.strip() == "[0, 1, 2]"
        code = "import os\nfor n in range(256):\n  try: print(n, os.read(n, 99))\n  except OSError: pass"
        assert secret.read_text() not in jail.run(["python3", "-c", code]).stdout
    finally:
        os.close(leaked)


def test_no_process_of_the_jail_holds_more_than_its_streams(jail) -> None:
    """The launcher's own pipes and descriptors must not be reachable through /proc either."""
    code = """
import os
own = {os.readlink(f"/proc/self/fd/{n}") for n in range(3)} | {"/dev/null"}
for pid in os.listdir("/proc"):
    if pid.isdigit():
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except PermissionError:
            print("own own own" if pid == "1" else "OTHER", pid, "is closed")
            continue
        for fd in names:
            try:
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
            except FileNotFoundError:
                continue
            if not target.startswith("/proc/"):
                print("own" if target in own else "OTHER", pid, fd, target)
"""
    shown = jail.run(["python3", "-c", code]).stdout
    assert shown.count("own") >= 6 and "OTHER" not in shown, shown


def test_every_process_of_the_jail_is_filtered(jail) -> None:
    """One that is not could be rewritten through /proc/PID/mem and used to make the refused calls."""
    shown = jail.run(["sh", "-c", "sleep 5 & grep -h -E '^(Pid|Seccomp|CapEff):' /proc/[0-9]*/status"]).stdout.split()
    assert shown.count("Pid:") >= 3
    assert {shown[i + 1] for i, word in enumerate(shown) if word == "Seccomp:"} == {"2"}
    assert {int(shown[i + 1], 16) for i, word in enumerate(shown) if word == "CapEff:"} == {0}


def test_command_lines_show_no_host_path(jail, workspace: Path) -> None:
    shown = jail.run(["sh", "-c", "cat /proc/*/cmdline | tr '\\0' ' '"]).stdout
    assert ("prlimit" if BACKEND == "bubblewrap" else "python3 -I") in shown and str(workspace.parent) not in shown


def test_host_processes_are_invisible(jail) -> None:
    code = "import os\nprint(sum(n.isdigit() for n in os.listdir('/proc')))"
    assert int(jail.run(["python3", "-c", code]).stdout) <= 3


def test_kernel_secrets_are_closed(inside) -> None:
    code = """
for path in ("/proc/kcore", "/proc/kmsg", "/proc/kpageflags", "/proc/kpagecount",
             "/proc/vmallocinfo", "/proc/slabinfo", "/proc/timer_list", "/proc/sys/kernel/cad_pid", "/dev/kmsg"):
    attempt(path, lambda: open(path, "rb").read(16) or 1 / 0)
attempt("addresses", lambda: [1 / 0 for line in open("/proc/kallsyms") if int(line.split()[0], 16) == 0][0])
"""
    inside(code)


def test_privileges_are_gone(jail) -> None:
    status = dict(line.split(":\t", 1) for line in jail.run(["cat", "/proc/self/status"]).stdout.splitlines())
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"):
        assert int(status[name], 16) == 0, name
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Uid"].split() == [inside_id(jail)] * 4
    assert status["Groups"].split() in ([], [inside_id(jail)], ["65534"])


def test_memory_segments_of_the_host_are_invisible(inside, outside) -> None:
    import ctypes

    libc = ctypes.CDLL(None)
    key = 0x5EC0 + os.getpid()
    segment = libc.shmget(key, 4096, 0o1666)
    assert segment >= 0
    try:
        code = 'attempt("shmget", lambda: libc.shmget(A["key"], 0, 0) + 1 or 1 / 0)'
        outside(code, key=key)
        inside(code, key=key)
    finally:
        libc.shmctl(segment, 0, None)


def test_an_old_sandbox_leaves_nothing_readable(limits, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    box = make_sandbox("bubblewrap", first, limits)
    box.run(["sh", "-c", "echo private > file; chmod 600 file"])
    box.close()
    first.rename(second / "taken")
    box = make_sandbox("bubblewrap", second, limits)
    try:
        # A folder handed over on purpose is readable, under the new sandbox's own user.
        assert box.run(["cat", "taken/file"]).stdout == "private\n"
    finally:
        box.close()
