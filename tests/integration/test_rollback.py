# ruff: noqa: PTH115, PTH118, PTH208
"""Snapshots and rollback with the real sandbox: 200 random episodes, odd file systems, and a killed process."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import stat
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_agent.checks import verify_ro_binds
from hybrid_agent.errors import InputError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools.digest import tree_digest
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.tools.transfer import remove_entry
from hybrid_agent.types import ToolCall

START = r"""
git init -q --template= repo && cd repo && git -c user.name=t -c user.email=t@t commit -q --allow-empty -m one
mkdir -p sub/.git/objects "empty one/deeper" && cd ..
printf 'a\r\nb\r\n' > dos.txt; printf '\0\1\2' > bin; printf '#!/bin/sh\necho hi\n' > run.sh; chmod 751 run.sh
ln -s dos.txt link; ln -s nowhere dangling; ln -s . loop; ln dos.txt twin; ln run.sh repo/twin2
mkdir locked && echo x > locked/file && chmod 500 locked; echo s > secret && chmod 000 secret; mkfifo pipe
touch "$(printf 'new\nline')" "$(printf 'not utf8 \377')" ' lead' -- '-dash' 'quote'\''s' 'star*'
"""
MUTATIONS = [
    "rm -rf repo",
    "rm -rf repo/.git/refs; echo x > repo/.git/HEAD",
    "cd repo && echo y > y && git add y && git -c user.name=t -c user.email=t@t commit -q -m two",
    "chmod -R 700 .",
    "chmod 777 dos.txt; chmod 755 secret",
    "echo more >> dos.txt",
    "sed -i 's/a/z/' dos.txt",
    "rm link && echo x > link",
    "rm -f dos.txt && ln -s /etc/passwd dos.txt",
    "rm -rf locked; chmod 700 locked && rm -rf locked && ln -s /tmp locked",
    "rm -rf 'repo/empty one' && ln -s .. 'repo/empty one'",
    "rmdir 'repo/empty one/deeper' && touch 'repo/empty one/deeper'",
    "mv repo moved; mkdir repo",
    "ln bin hard; ln bin harder; echo q >> hard",
    "rm twin; cp dos.txt twin",
    "ln -f run.sh bin",
    "rm pipe; mkdir pipe",
    "mkfifo other; mkdir -p a/b/c/d; chmod 000 a/b",
    "find . -name '*.txt' -exec rm {} +",
    "touch -d 2001-01-01 run.sh repo",
    "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'",
    "for i in 1 2 3 4 5; do echo $i > new$i; done; ln -sf new1 link",
    "truncate -s 100000 sparse; dd if=/dev/zero of=big bs=1k count=900 2>/dev/null",
    "rm -rf -- * .??*",
    "mv dos.txt tmp; mv bin dos.txt; mv tmp bin",
    "chmod 000 .",
    "mkdir x && cd x && ln -s ../repo/.git .git && ln -s / root",
]
NAMES = [
    "dos.txt",
    "bin",
    "run.sh",
    "link",
    "repo",
    "repo/new",
    "locked",
    "fresh/deep/file",
    "twin",
    "pipe",
    "dangling",
]


def picture(root: Path) -> dict[str, tuple[object, ...]]:
    """A picture of a tree that shares no code with the snapshots."""
    found: dict[str, tuple[object, ...]] = {}
    inodes: dict[int, list[str]] = defaultdict(list)
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in [*folders, *files, b"."]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            rel = os.path.relpath(path, os.fsencode(root)).decode("utf-8", "backslashreplace")
            if stat.S_ISLNK(status.st_mode):
                content = repr(os.readlink(path))
            elif stat.S_ISREG(status.st_mode):
                content = _hash(Path(os.fsdecode(path)), stat.S_IMODE(status.st_mode))
                inodes[status.st_ino].append(rel)
            else:
                content = ""
            found[rel] = (stat.S_IFMT(status.st_mode), status.st_mode, status.st_uid, content, status.st_mtime_ns)
    links = tuple(sorted(tuple(sorted(names)) for names in inodes.values() if len(names) > 1))
    return found | {"hard links": (links,)}


def _hash(path: Path, mode: int) -> str:
    if not mode & 0o400 and os.geteuid() != 0:
        path.chmod(0o400)
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    finally:
        path.chmod(mode)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "w").mkdir()
    return tmp_path / "w"


@pytest.fixture
def box(workspace: Path) -> Iterator[Sandbox]:
    sandbox = make_sandbox("bubblewrap", workspace, Limits(), session=True, ro_binds=verify_ro_binds())
    yield sandbox
    sandbox.close()


def _clear(workspace: Path) -> None:
    fd = os.open(workspace, os.O_RDONLY)
    workspace.chmod(0o755)
    for name in os.listdir(fd):
        remove_entry(fd, name)
    os.close(fd)


def _fill(box: Sandbox) -> None:
    done = box.run(["/bin/bash", "-c", START], timeout_s=20)
    assert done.exit_code == 0, done.stderr


def _random_call(rng: random.Random) -> ToolCall:
    name, other = rng.choice(NAMES), rng.choice(NAMES)
    kinds = ["shell"] * 8 + ["write", "append", "mkdir", "copy", "move", "remove", "chmod", "link", "edit", "code"]
    match rng.choice(kinds):
        case "shell":
            return ToolCall(tool="shell", args={"cmd": rng.choice(MUTATIONS)})
        case "edit":
            edits = [{"op": "append", "text": "end"}, {"op": "replace_all", "find": "a", "text": "b"}]
            return ToolCall(tool="editor", args={"path": name, "edits": edits})
        case "code":
            name = name.replace("pipe", "repo")  # opening a pipe would wait for the time limit
            code = f"import os, shutil\nshutil.rmtree({name!r}, ignore_errors=True)\nopen('made', 'w').write('x')"
            return ToolCall(tool="exec_code", args={"lang": "python", "code": code})
        case "write" | "append" as op:
            return ToolCall(tool="fs", args={"op": op, "path": name, "text": rng.choice(["", "x\n", "é" * 99])})
        case "chmod":
            return ToolCall(tool="fs", args={"op": "chmod", "path": name, "mode": rng.choice(["000", "644", "755"])})
        case "copy" | "move" | "link" as op:
            return ToolCall(tool="fs", args={"op": op, "path": name, "to": other})
        case op:
            return ToolCall(tool="fs", args={"op": op, "path": name})


def test_200_random_episodes_leave_the_workspace_identical(workspace: Path, box: Sandbox, tmp_path: Path) -> None:
    _fill(box)
    start, digest = picture(workspace), tree_digest(workspace)
    changed = 0
    for episode in range(200):
        rng = random.Random(episode)
        toolbox = LocalToolbox(workspace, tmp_path / f"state{episode}", box, approve="auto")
        for _ in range(rng.randint(1, 5)):
            toolbox.execute(_random_call(rng))
        changed += tree_digest(workspace) != digest
        first = toolbox.snapshots.first()
        if first is not None:
            toolbox.rollback(first)
        assert picture(workspace) == start, f"episode {episode}"
        assert tree_digest(workspace) == digest
        toolbox.close()
    assert changed > 150


def test_revert_script_does_the_same_without_our_code(workspace: Path, box: Sandbox, tmp_path: Path) -> None:
    for episode in range(12):
        _clear(workspace)
        _fill(box)
        start = {name: entry[1:4] for name, entry in picture(workspace).items() if name != "hard links"}
        rng = random.Random(1000 + episode)
        state = tmp_path / f"state{episode}"
        toolbox = LocalToolbox(workspace, state, box, approve="auto")
        for _ in range(4):
            toolbox.execute(_random_call(rng))
        if (state / "revert.sh").exists():
            subprocess.run(["bash", state / "revert.sh"], check=True, capture_output=True)
        now = {name: entry[1:4] for name, entry in picture(workspace).items() if name != "hard links"}
        assert now == start, f"episode {episode}"


def test_steps_can_be_rolled_back_one_by_one(workspace: Path, box: Sandbox, tmp_path: Path) -> None:
    toolbox = LocalToolbox(workspace, tmp_path / "state", box, approve="auto")
    seen = []
    for number in range(4):
        seen.append((toolbox.snapshot(), picture(workspace)))
        toolbox.execute(ToolCall(tool="shell", args={"cmd": f"echo {number} > f{number}; echo {number} >> all"}))
    for snapshot, before in reversed(seen):
        toolbox.rollback(snapshot)
        assert picture(workspace) == before
    toolbox.rollback(seen[3][0])
    assert picture(workspace) == seen[3][1]
    with pytest.raises(InputError, match="no snapshot"):
        toolbox.rollback("000099")


def test_unchanged_files_are_not_read_again(workspace: Path, tmp_path: Path) -> None:
    for number in range(50):
        (workspace / f"f{number}").write_text(str(number) * 1000)
        os.utime(workspace / f"f{number}", (1, 1))
    store = SnapshotStore(tmp_path / "state", workspace)
    first = store.take()
    past = max(path.stat().st_ctime_ns for path in workspace.iterdir())
    while tmp_path.stat().st_mtime_ns - past < 50_000_000:  # change times grow older than the clock's grain
        os.utime(tmp_path)
    store.observe()
    read = store.objects.read_bytes
    assert store.take() == first
    assert store.objects.read_bytes == read
    (workspace / "f7").write_text("new")
    assert store.take() != first
    assert store.objects.read_bytes == read + 3
    again = SnapshotStore(tmp_path / "state", workspace)
    assert again.list() == store.list() and again.first() == first
    again.observe()
    assert again.objects.read_bytes <= 3  # only what changed a moment ago


def test_same_size_and_time_do_not_hide_a_change(workspace: Path, tmp_path: Path) -> None:
    file = workspace / "f"
    file.write_text("aaaa")
    os.utime(file, ns=(5, 5))
    store = SnapshotStore(tmp_path / "state", workspace)
    first = store.take()
    with file.open("r+") as out:
        out.write("bbbb")
    os.utime(file, ns=(5, 5))
    second = store.take()
    assert second != first
    store.restore(first)
    assert file.read_text() == "aaaa"
    store.restore(second)
    assert file.read_text() == "bbbb"


KILLED = """
import os, pathlib, signal, sys
from hybrid_agent.tools import objects, snapshot
root = pathlib.Path(sys.argv[1])
store = snapshot.SnapshotStore(root / "state", root / "w")
print(store.take(), flush=True)
(root / "w" / "a").write_text("changed")
(root / "w" / "big").write_bytes(bytes(3_000_000))
steps = [0]
def dies(event, args):
    if event in ("open", "os.rename"):
        steps[0] += 1
        if steps[0] == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(dies)
store.take()
"""


@pytest.mark.parametrize("step", [2, 3, 4, 5, 6, 7])
def test_kill_in_the_middle_of_a_snapshot_leaves_the_earlier_one(workspace: Path, tmp_path: Path, step: int) -> None:
    (workspace / "a").write_text("before")
    before = tree_digest(workspace)
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(step)], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    store = SnapshotStore(tmp_path / "state", workspace)
    assert store.list() == [done.stdout.strip()]
    store.restore(done.stdout.strip())
    assert tree_digest(workspace) == before
    assert store.take() and len(store.list()) == 2


def test_audit_names_what_each_call_changed(workspace: Path, box: Sandbox, tmp_path: Path) -> None:
    (workspace / "old").write_text("x")
    toolbox = LocalToolbox(workspace, tmp_path / "state", box, approve="auto")
    commands = ["mkdir d; echo 1 > d/new; chmod 600 old", "true; touch old", "rm old; ln -s d old; git init -q g"]
    changed = [toolbox.execute(ToolCall(tool="shell", args={"cmd": cmd})).changed for cmd in commands]
    assert changed == [("d", "d/new", "old"), (), ("g", "g/.git", "old")]
    lines = [json.loads(line) for line in (tmp_path / "state" / "audit.jsonl").read_text().splitlines()]
    assert [line["n"] for line in lines] == [1, 2]
    assert lines[0]["changes"] == [["created", "d"], ["created", "d/new"], ["mode", "old"]]
    assert ["type", "old"] in lines[1]["changes"] and ["created", "g/.git/HEAD"] in lines[1]["changes"]
