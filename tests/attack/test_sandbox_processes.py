"""Attempts to outlive the call, and to harm or enter processes outside."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from conftest import inside_id

from hybrid_agent.protocols import Sandbox


def running(marker: str) -> list[int]:
    """Processes of the whole machine whose command line contains `marker`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if marker.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


STAY = """
import signal, time
for number in (1, 2, 13, 15):
    signal.signal(number, signal.SIG_IGN)
open("up", "w")
time.sleep(60)
"""

ORPHANS = {
    "background": "python3 -c \"$STAY\" $MARKER & ",
    "nohup": "nohup python3 -c \"$STAY\" $MARKER >/dev/null 2>&1 & ",
    "setsid": "setsid python3 -c \"$STAY\" $MARKER >/dev/null 2>&1 </dev/null & ",
    "setsid and fork": "setsid -f python3 -c \"$STAY\" $MARKER",
    "double fork": "( ( python3 -c \"$STAY\" $MARKER >/dev/null 2>&1 & ) & ) ; ",
    "disown": "python3 -c \"$STAY\" $MARKER & disown -a; ",
    "coprocess": "coproc python3 -c \"$STAY\" $MARKER; ",
    "start-stop-daemon": "start-stop-daemon -S -b -d /workspace -x /usr/bin/python3 -- -c \"$STAY\" $MARKER",
}  # fmt: skip


@pytest.mark.parametrize("how", ORPHANS)
def test_no_orphan_outlives_the_call(jail, workspace: Path, how: str) -> None:
    marker = f"orphan-{uuid.uuid4()}"
    wait = "; for _ in $(seq 100); do [ -e up ] && break; sleep 0.05; done"
    done = jail.run(["bash", "-c", ORPHANS[how].rstrip("; ") + wait.replace(";", "\n", 1)],
                    env={"STAY": STAY, "MARKER": marker}, timeout_s=15)  # fmt: skip
    assert done.exit_code == 0 and not done.timed_out, done
    assert (workspace / "up").exists(), f"the orphan never ran: {done}"
    assert running(marker) == []


def test_the_orphan_would_live_without_a_jail(open_air, workspace: Path) -> None:
    marker = f"orphan-{uuid.uuid4()}"
    open_air.run(["bash", "-c", ORPHANS["setsid and fork"] + "; sleep 0.3"], env={"STAY": STAY, "MARKER": marker})
    alive = running(marker)
    for pid in alive:
        os.kill(pid, 9)
    assert alive


def test_everything_dies_at_the_wall(jail) -> None:
    marker = f"stubborn-{uuid.uuid4()}"
    code = (
        'for i in 1 2 3; do setsid python3 -c "$STAY" $MARKER & done; trap "" TERM INT HUP; while :; do sleep 1; done'
    )
    done = jail.run(["bash", "-c", code], env={"STAY": STAY, "MARKER": marker}, timeout_s=1.0)
    assert done.timed_out and done.killed_by == "wall"
    assert running(marker) == []


def test_a_stopped_process_dies_at_the_wall(jail) -> None:
    assert jail.run(["bash", "-c", "kill -STOP $$"], timeout_s=0.5).killed_by == "wall"


def test_a_held_output_pipe_does_not_hold_the_call(jail) -> None:
    done = jail.run(["bash", "-c", "sleep 60 & echo first"], timeout_s=30)
    assert (done.stdout, done.timed_out) == ("first\n", False)


def test_jails_die_with_the_harness(workspace: Path) -> None:
    """kill -9 of the harness, in the middle of calls of both kinds."""
    import signal
    import sys

    marker = f"left-{uuid.uuid4()}"
    code = """
import sys, threading
from pathlib import Path
from hybrid_agent.tools.sandbox import make_sandbox
for session in (False, True):
    box = make_sandbox("bubblewrap", Path(sys.argv[1]), session=session)
    argv = ["bash", "-c", "touch up%d; setsid sleep 300 & exec -a $0 sleep 300" % session, sys.argv[2]]
    threading.Thread(target=box.run, args=[argv], kwargs={"timeout_s": 300}).start()
"""
    harness = subprocess.Popen([sys.executable, "-c", code, str(workspace), marker])
    for _ in range(200):
        if (workspace / "up0").exists() and (workspace / "up1").exists():
            break
        time.sleep(0.05)
    started = [pid for pid in running(marker) if pid != harness.pid]
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    for _ in range(100):
        if not running(marker):
            break
        time.sleep(0.05)
    assert started and running(marker) == []


def test_signals_do_not_reach_outside(inside) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    try:
        code = """
for pid in (*A["pids"], 2**22):
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, 0):
        if pid > 40:  # small numbers are our own here
            attempt(f"{pid} {number}", os.kill, pid, number)
            attempt(f"group {pid} {number}", os.killpg, pid, number)
"""
        inside(code, pids=[os.getpid(), os.getppid(), victim.pid])
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()


def test_killing_everyone_kills_only_the_jail(jail) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    try:
        for code in ("kill -9 -1", "kill -9 1; kill -TERM 1; kill -SEGV 1", "kill -9 0", "kill -9 $PPID"):
            jail.run(["bash", "-c", code])
        assert victim.poll() is None
        assert jail.run(["echo", "alive"]).stdout == "alive\n"
    finally:
        victim.kill()
        victim.wait()


def test_processes_outside_cannot_be_opened(inside) -> None:
    code = """
for pid in A["pids"]:
    if pid == 1:  # the harness's parent; in here that is a process of our own
        continue
    attempt(f"pidfd {pid}", lambda: os.pidfd_open(pid))
    attempt(f"folder {pid}", lambda: os.listdir(f"/proc/{pid}"))
    attempt(f"memory {pid}", lambda: open(f"/proc/{pid}/mem", "r+b"))
    attempt(f"priority {pid}", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19))
    attempt(f"affinity {pid}", lambda: os.sched_setaffinity(pid, {0}))
"""
    assert len(inside(code, pids=[os.getpid(), os.getppid()]).held) in (5, 10)


def test_priorities_cannot_be_raised(inside) -> None:
    code = """
import resource
attempt("nice", lambda: os.nice(-5))
attempt("realtime", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt("oom", put, "/proc/self/oom_score_adj", "-1000")
attempt("io", lambda: syscall(A["ioprio_set"], 1, 0, (1 << 13) | 0))
for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_CORE"):
    which = getattr(resource, name)
    hard = resource.getrlimit(which)[1]
    attempt(name, resource.setrlimit, which, (hard + 1, hard + 1))
    attempt(name + " off", resource.setrlimit, which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""
    import pyseccomp

    inside(code, ioprio_set=pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, "ioprio_set"))


def test_set_user_id_programs_give_nothing(jail: Sandbox) -> None:
    code = """
for p in $(find /usr/bin /usr/sbin /usr/lib -perm -4000 2>/dev/null); do echo "found $p"; done
su -c id root </dev/null; sudo -n id; mount /dev/vda /tmp; umount /proc; pkexec id; chsh -s /bin/sh root </dev/null
newgrp root </dev/null; ping -c1 -W1 127.0.0.1; nsenter -t 1 -a id; chroot / id; true
"""
    done = jail.run(["bash", "-c", code], timeout_s=20)
    assert "uid=0" not in done.stdout and "/usr/bin/su" in done.stdout
    assert jail.run(["id", "-u"]).stdout == inside_id(jail) + "\n"


def test_becoming_someone_else(inside) -> None:
    code = """
me = os.getuid()  # lent; the neighbours may be lent to others
for uid in sorted({0, 1, 65534, 1900000000, me - 1, me + 1} - {me}):
    attempt(f"setuid {uid}", os.setuid, uid)
    attempt(f"setgid {uid}", os.setgid, uid)
    attempt(f"setresuid {uid}", os.setresuid, uid, uid, uid)
    attempt(f"chown {uid}", lambda: (open("file", "w").close(), os.chown("file", uid, uid)))
attempt("setgroups", os.setgroups, [0])
attempt("uid_map", put, "/proc/self/uid_map", "0 1000 1")
attempt("gid_map", put, "/proc/self/gid_map", "0 1000 1")
attempt("groups again", put, "/proc/self/setgroups", "allow")
"""
    inside(code)
