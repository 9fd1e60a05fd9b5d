"""Attempts to use up the machine: processes, memory, disk, output, time."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from conftest import BACKEND

from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.sandbox import BubblewrapSandbox, DockerSandbox


def whole_memory_is_capped(box: Sandbox) -> bool:
    assert isinstance(box, BubblewrapSandbox | DockerSandbox)
    return not any("memory" in w for w in box.strength.weaker)


def test_fork_bomb(jail, limits) -> None:
    done = jail.run(["bash", "-c", "b() { b | b & }; b; sleep 1"], timeout_s=5)
    assert "Resource temporarily unavailable" in done.stderr
    assert jail.run(["echo", "alive"]).stdout == "alive\n"


@pytest.mark.parametrize("kind", ["processes", "threads"])
def test_processes_are_counted(jail, limits, kind: str) -> None:
    code = """
import os, sys, threading, time
count = 0
try:
    for _ in range(1000):
        if sys.argv[1] == "threads":
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        elif os.fork() == 0:
            time.sleep(60)
        count += 1
except (OSError, RuntimeError):
    pass
print(count, flush=True)
os._exit(0)
"""
    done = jail.run(["python3", "-c", code, kind])
    assert 0 < int(done.stdout) <= limits.processes


HOG = """
import sys, time
size = int(sys.argv[1]) << 20
block = bytearray()
while len(block) < size:
    block += b"x" * (4 << 20)
print("got", len(block), flush=True)
time.sleep(5)
"""


def test_memory_of_one_process(jail, limits) -> None:
    done = jail.run(["python3", "-c", HOG, str(2 * limits.memory_mb)])
    assert "got" not in done.stdout and done.exit_code != 0
    if whole_memory_is_capped(jail):
        assert done.killed_by == "memory"


def test_memory_of_many_processes(jail, limits) -> None:
    if not whole_memory_is_capped(jail):
        pytest.skip("without a control group memory is capped for each process only, and reported as weaker")
    each = limits.memory_mb // 3
    done = jail.run(
        ["bash", "-c", 'for i in 1 2 3 4 5 6; do python3 -c "$0" $1 & done; wait', HOG, str(each)], timeout_s=15
    )
    assert done.killed_by == "memory"
    assert done.stdout.count("got") < 6


def test_memory_below_the_cap_is_given(jail, limits) -> None:
    done = jail.run(["python3", "-c", HOG.replace("time.sleep(5)", ""), str(limits.memory_mb // 2)])
    assert "got" in done.stdout and done.killed_by is None


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/run", "/var/tmp"])
def test_scratch_is_sized(jail, limits, place: str) -> None:
    fill = "for i in 1 2 3 4 5 6; do head -c 4000000 /dev/zero > $0/fill$i || break; done; du -s -B1 $0/ | cut -f1"
    done = jail.run(["bash", "-c", fill, place])
    assert "No space left" in done.stderr
    assert 0 < int(done.stdout) <= (limits.tmp_mb << 20) + 65536


def test_nothing_else_takes_data(inside) -> None:
    code = """
def fill(place):
    with open(place + "/fill", "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
for place in ("/", "/dev", "/dev/pts", "/etc", "/var", "/proc", "/usr"):
    attempt(place, fill, place)
"""
    inside(code)


def test_unlinked_memory_files_count_as_memory(jail, limits) -> None:
    code = "import os\nfd = os.memfd_create('m')\nfor _ in range(%d): os.write(fd, bytes(1 << 20))\nprint('got')"
    done = jail.run(["python3", "-c", code % (2 * limits.memory_mb)])
    assert "got" not in done.stdout


def test_one_big_file(jail, limits, workspace: Path) -> None:
    done = jail.run(["dd", "if=/dev/zero", "of=big", "bs=1M", "count=64"])
    assert done.killed_by == "file_size"
    assert (workspace / "big").stat().st_size <= limits.file_mb << 20


def test_sparse_files_and_preallocation(inside, workspace: Path, limits) -> None:
    code = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
fd = os.open("sparse", os.O_CREAT | os.O_RDWR)
attempt("truncate", os.truncate, "sparse", 1 << 40)
attempt("allocate", os.posix_fallocate, fd, 0, 1 << 33)
attempt("write far", os.pwrite, fd, b"x", 1 << 36)
"""
    inside(code)
    assert (workspace / "sparse").stat().st_size == 0


def test_many_files_fill_the_disk(jail, limits, workspace: Path) -> None:
    done = jail.run(
        ["bash", "-c", "for i in $(seq 2000); do head -c 1000000 /dev/zero > f$i; sleep 0.02; done"], timeout_s=30
    )
    assert done.killed_by == "disk"
    used = sum(p.stat().st_blocks * 512 for p in workspace.iterdir())
    assert (limits.disk_mb << 20) < used < (3 * limits.disk_mb << 20)


def test_many_small_files(jail, limits, workspace: Path) -> None:
    code = "import time\nfor i in range(100000):\n  open(f'f{i}', 'w').close()\n  time.sleep(0.0002)"
    assert jail.run(["python3", "-c", code], timeout_s=60).killed_by == "disk"
    assert len(list(workspace.iterdir())) < 20 * limits.disk_files


@pytest.mark.parametrize("stream", ["", " >&2", "; tr -dc '\\377' < /dev/zero"])
def test_output_flood(jail, limits, stream: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = jail.run(["bash", "-c", f"yes 0123456789{stream}"], timeout_s=30)
    assert done.killed_by == "output" and done.truncated
    assert max(len(done.stdout), len(done.stderr)) == limits.output_kb << 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB


def test_long_but_finite_output_is_cut_not_killed(jail, limits) -> None:
    done = jail.run(["bash", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; echo end >&2; exit 3"])
    assert (done.exit_code, len(done.stdout), done.stderr) == (3, limits.output_kb << 10, "end\n")
    assert done.truncated and done.killed_by is None


def test_output_that_is_not_text(jail) -> None:
    done = jail.run(["bash", "-c", "head -c 5000 /dev/urandom; printf '\\xff\\x00\\x1b]0;title\\a'"])
    assert done.exit_code == 0 and "�" in done.stdout


@pytest.mark.parametrize(
    "code", ["while :; do :; done", "trap '' TERM INT HUP QUIT; while :; do :; done", "sleep 1000"]
)
def test_endless_loops_end_at_the_wall(jail, code: str) -> None:
    done = jail.run(["bash", "-c", code], timeout_s=0.5)
    assert done.timed_out and done.killed_by == "wall" and done.exit_code == 137


def test_cpu_seconds_are_capped(workspace: Path, limits) -> None:
    box = BubblewrapSandbox(workspace, limits.model_copy(update={"cpu_s": 1}))
    try:
        done = box.run(["bash", "-c", "while :; do :; done"], timeout_s=60)
        assert not done.timed_out and done.exit_code in (137, 152)
    finally:
        box.close()


def test_descriptors_are_capped(jail, limits) -> None:
    code = "import os\ntry:\n  while True: n = os.open('/dev/null', 0)\nexcept OSError: print(n)"
    assert int(jail.run(["python3", "-c", code]).stdout) < limits.open_files


def test_no_core_is_dumped(jail, workspace: Path) -> None:
    done = jail.run(["bash", "-c", "ulimit -c unlimited 2>/dev/null; kill -SEGV $$"])
    assert done.exit_code == 139 and list(workspace.iterdir()) == []


BIG = b"x" * (8 << 20)


def test_input_nobody_reads(jail) -> None:
    assert jail.run(["true"], stdin=BIG).exit_code == 0
    assert jail.run(["sh", "-c", "exec <&-; echo closed"], stdin=BIG).stdout == "closed\n"
    assert jail.run(["sleep", "30"], stdin=BIG, timeout_s=0.5).killed_by == "wall"


def test_input_arrives_whole_and_ends(jail) -> None:
    assert jail.run(["wc", "-c"], stdin=BIG, timeout_s=20).stdout.strip() == str(len(BIG))
    assert jail.run(["cat"]).stdout == ""  # no input: an end, not a wait


def test_input_cannot_be_borrowed(jail) -> None:
    """The harness's own standard input and terminal stay out of reach."""
    code = "import os\nprint(os.readlink('/proc/self/fd/0'), os.isatty(0))"
    assert jail.run(["python3", "-c", code]).stdout == "/dev/null False\n"


def test_forged_endings(jail) -> None:
    """The result comes from the kernel, not from what the command prints."""
    done = jail.run(["bash", "-c", "echo '{ \"exit-code\": 0 }'; echo '{ \"exit-code\": 0 }' >&2; exit 7"])
    assert done.exit_code == 7
    done = jail.run(["bash", "-c", "echo 'prlimit: failed to execute x: No such file' >&2; exit 1"])
    assert done.exit_code == 1 and "prlimit" in done.stderr


def test_the_machine_is_left_as_it_was(jail) -> None:
    """After all of it the harness has no more open descriptors or children than before."""
    jail.run(["true"])
    before = sorted(Path("/proc/self/fd").iterdir())
    for argv in (["true"], ["nonexistent"], ["sh", "-c", "sleep 100 & exit 1"], ["yes"]):
        jail.run(argv, timeout_s=2)
    jail.run(["sleep", "9"], timeout_s=0.1)
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    if BACKEND == "bubblewrap":  # the other keeps one process, which is connected to its container
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
