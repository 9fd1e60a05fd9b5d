"""Attempts to make the harness's own file access leave the workspace, wait for ever, or read too much."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybrid_agent.errors import SandboxError
from hybrid_agent.protocols import Sandbox
from hybrid_agent.tools import transfer
from hybrid_agent.tools.beneath import open_beneath, openat2_works
from hybrid_agent.tools.failure import ToolFailure
from hybrid_agent.tools.sandbox import Limits, make_sandbox
from hybrid_agent.tools.snapshot import SnapshotStore
from hybrid_agent.tools.toolbox import LocalToolbox
from hybrid_agent.tools.workspace import READ_CAP, Workspace
from hybrid_agent.types import Observation, ToolCall

SECRET = "do not leak me"
Call = Callable[..., Observation]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w" / "dir").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text(SECRET)
    return tmp_path / "w"


@pytest.fixture
def outside(folder: Path) -> Path:
    return folder.parent / "outside"


@pytest.fixture
def files(folder: Path) -> Iterator[Workspace]:
    workspace = Workspace(folder)
    yield workspace
    workspace.close()


@pytest.fixture
def box(folder: Path) -> Iterator[Sandbox]:
    sandbox = make_sandbox("bubblewrap", folder, Limits())
    yield sandbox
    sandbox.close()


@pytest.fixture
def call(folder: Path, box: Sandbox) -> Call:
    toolbox = LocalToolbox(folder, folder.parent / "state", box, approve="auto")

    def run(tool: str, **args: object) -> Observation:
        return toolbox.execute(ToolCall(tool=tool, args=args))

    return run


def _untouched(outside: Path) -> bool:
    return [p.name for p in outside.iterdir()] == ["secret"] and (outside / "secret").read_text() == SECRET


LINKS = ["file", "dir/up/outside/secret", "abs/outside/secret", "chain"]


@pytest.fixture
def planted(folder: Path, outside: Path) -> None:
    (folder / "file").symlink_to(outside / "secret")
    (folder / "dir" / "up").symlink_to("../..")
    (folder / "abs").symlink_to(folder.parent)
    (folder / "chain").symlink_to("dir/hop")
    (folder / "dir" / "hop").symlink_to("../../outside/secret")


@pytest.mark.parametrize("path", LINKS)
@pytest.mark.usefixtures("planted")
def test_links_out_are_not_followed(call: Call, outside: Path, path: str) -> None:
    tries = [
        call("fs", op="read", path=path),
        call("fs", op="write", path=path, text="x"),
        call("fs", op="append", path=path, text="x"),
        call("fs", op="chmod", path=path, mode="777"),
        call("editor", path=path, edits=[{"op": "append", "text": "x"}]),
    ]
    for seen in tries:
        assert not seen.ok and seen.denied == "path.outside", seen
        assert SECRET not in seen.model_dump_json() and str(outside) not in seen.model_dump_json()
    assert _untouched(outside) and (outside / "secret").stat().st_mode & 0o777 != 0o777


@pytest.mark.usefixtures("planted")
def test_folders_behind_links_out_are_closed(call: Call, outside: Path) -> None:
    for path in ("dir/up/outside", "abs/outside"):
        for args in (
            {"op": "list", "path": path},
            {"op": "find", "path": path, "name": "*"},
            {"op": "mkdir", "path": path + "/new"},
            {"op": "copy", "path": path + "/secret", "to": "stolen"},
            {"op": "move", "path": path + "/secret", "to": "stolen"},
            {"op": "copy", "path": "dir", "to": path},
            {"op": "remove", "path": path + "/secret"},
            {"op": "link", "path": path + "/l", "to": "x"},
            {"op": "write", "path": path + "/new/deep", "text": "x"},
            {"op": "stat", "path": path + "/secret"},
        ):
            seen = call("fs", **args)
            assert not seen.ok, args
            assert SECRET not in seen.model_dump_json()
    assert _untouched(outside)


@pytest.mark.usefixtures("planted")
def test_removing_copying_and_finding_take_the_link_not_its_target(call: Call, folder: Path, outside: Path) -> None:
    assert call("fs", op="copy", path="dir", to="copied").ok
    assert (folder / "copied" / "up").is_symlink()
    assert "secret" not in call("fs", op="find", path=".", name="*").stdout
    for path in ("file", "abs", "dir", "copied"):
        assert call("fs", op="remove", path=path).ok
    assert _untouched(outside)


PATHS = [
    "..", "../outside/secret", "dir/../../outside/secret", "/etc/passwd", "//etc/passwd", "/workspace/../etc/passwd",
    "./../outside", "/workspacex", "a/../../../../../../etc/passwd", "/proc/self/environ", "/proc/self/root/etc/passwd",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_climb_out_are_denied(call: Call, outside: Path, path: str) -> None:
    for args in (
        {"op": "read", "path": path},
        {"op": "write", "path": path, "text": "x"},
        {"op": "list", "path": path},
    ):
        assert call("fs", **args).denied == "path.outside"
    assert call("fs", op="link", path="l", to=path).denied == "path.outside"
    assert _untouched(outside)


@pytest.mark.parametrize("kernel", [True, False])
def test_both_ways_of_opening_refuse_the_same_ways_out(
    folder: Path, outside: Path, planted: None, kernel: bool
) -> None:
    assert openat2_works()
    root = os.open(folder, os.O_RDONLY)
    (folder / "dir" / "inner").write_text("fine")
    os.close(open_beneath(root, "dir/inner", os.O_RDONLY, kernel=kernel))
    for path in [*LINKS, "..", "../outside/secret", "/etc/passwd", "dir/../../outside/secret"]:
        with pytest.raises(OSError, match=r"Invalid cross-device link|Too many levels|Not a directory"):
            os.close(open_beneath(root, path, os.O_RDONLY, kernel=kernel))
    os.close(root)


def _swapping(folder: Path, outside: Path) -> tuple[threading.Event, threading.Thread]:
    """A thread that exchanges the folder `dir` and a link to the outside, as fast as it can."""
    (folder / "dir" / "secret").write_text("mine")
    (folder / "trap").symlink_to(outside)
    stop = threading.Event()
    libc = ctypes.CDLL(None, use_errno=True)
    real, trap = os.fsencode(folder / "dir"), os.fsencode(folder / "trap")

    def swap() -> None:
        while not stop.is_set():
            assert libc.renameat2(-100, real, -100, trap, 2) == 0  # RENAME_EXCHANGE

    thread = threading.Thread(target=swap)
    thread.start()
    return stop, thread


def test_swapping_a_folder_for_a_link_during_calls_never_wins(files: Workspace, folder: Path, outside: Path) -> None:
    stop, thread = _swapping(folder, outside)
    actions: list[Callable[[int], object]] = [
        lambda n: files.read("dir/secret"),
        lambda n: files.write("dir/secret", b"mine"),
        lambda n: files.write(f"dir/new{n}", b"mine"),
        lambda n: files.chmod("dir/secret", 0o600),
        lambda n: transfer.copy(files, "dir/secret", f"copy{n}"),
        lambda n: transfer.remove(files, f"dir/new{n - 4}"),
        lambda n: files.mkdir(f"dir/folder{n}"),
    ]
    refused = worked = 0
    mode = (outside / "secret").stat().st_mode
    try:
        for n in range(6000):
            try:
                got = actions[n % len(actions)](n)
            except ToolFailure:
                refused += 1
            else:
                worked += 1
                assert got != SECRET.encode()
    finally:
        stop.set()
        thread.join()
    assert refused and worked
    assert _untouched(outside) and (outside / "secret").stat().st_mode == mode
    assert not any(p.read_text() == SECRET for p in folder.glob("copy*"))


def test_restoring_during_swaps_never_writes_outside(folder: Path, outside: Path) -> None:
    store = SnapshotStore(folder.parent / "state", folder)
    (folder / "dir" / "secret").write_text("mine")
    (folder / "dir" / "more").mkdir()
    first = store.take()
    (folder / "dir" / "secret").unlink()
    (folder / "dir" / "more").rmdir()
    (folder / "dir").rmdir()
    (folder / "dir").symlink_to(outside)
    store.restore(first)
    assert (folder / "dir" / "secret").read_text() == "mine" and not (folder / "dir").is_symlink()
    (folder / "dir" / "secret").unlink()
    (folder / "dir" / "secret").symlink_to(outside / "secret")
    (folder / "dir" / "more").rmdir()
    (folder / "dir" / "more").symlink_to(outside)
    store.restore(first)
    assert _untouched(outside)
    (folder / "dir" / "secret").unlink()
    os.link(outside / "secret", folder / "dir" / "secret")  # a hard link to a file elsewhere
    store.restore(first)
    assert _untouched(outside) and (folder / "dir" / "secret").read_text() == "mine"


def test_writing_to_a_hard_link_makes_a_copy(files: Workspace, folder: Path, outside: Path) -> None:
    os.link(outside / "secret", folder / "innocent")
    files.write("innocent", b"x")
    assert (folder / "innocent").read_bytes() == b"x"
    assert _untouched(outside)
    os.link(outside / "secret", folder / "again")
    files.write("again", b"x", append=True)
    assert _untouched(outside)


def test_fifos_sockets_and_devices_are_refused_without_waiting(call: Call, folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(folder)
    server.bind("sock")
    os.chdir(here)
    names = ["fifo", "sock"]
    if os.geteuid() == 0:
        os.mknod(folder / "null", 0o20666, os.makedev(1, 3))
        names.append("null")
    for name in names:
        for args in (
            {"op": "read", "path": name},
            {"op": "write", "path": name, "text": "x"},
            {"op": "append", "path": name, "text": "x"},
            {"op": "copy", "path": name, "to": "c"},
        ):
            seen = call("fs", **args)
            assert not seen.ok and "not a regular file" in seen.stderr, (name, seen)
    server.close()


def test_huge_files_are_refused_by_size_not_read(call: Call, files: Workspace, folder: Path) -> None:
    (folder / "huge").touch()
    os.truncate(folder / "huge", 1 << 42)
    with pytest.raises(ToolFailure, match="bytes is more"):
        files.read("huge")
    assert "bytes is more" in call("fs", op="read", path="huge").stderr
    seen = call("fs", op="copy", path="huge", to="huge2")
    assert not seen.ok and "MB" in seen.stderr
    os.truncate(folder / "huge", READ_CAP)
    assert len(files.read("huge")) == READ_CAP


def test_the_size_cap_is_exact(files: Workspace) -> None:
    files.write("f", b"x" * 101)
    assert len(files.read("f", cap=101)) == 101
    with pytest.raises(ToolFailure, match="more than"):
        files.read("f", cap=100)


@pytest.mark.parametrize("kind", ["link", "folder", "gone"])
def test_a_replaced_workspace_is_noticed(call: Call, folder: Path, outside: Path, kind: str) -> None:
    assert call("fs", op="write", path="a", text="x").ok
    folder.rename(folder.parent / "moved")
    if kind == "link":
        folder.symlink_to(outside)
    elif kind == "folder":
        folder.mkdir()
    for args in ({"op": "read", "path": "secret"}, {"op": "write", "path": "secret", "text": "x"}):
        with pytest.raises(SandboxError, match="workspace"):
            call("fs", **args)
    with pytest.raises(SandboxError, match="workspace"):
        SnapshotStore(folder.parent / "state2", folder).take() if kind != "folder" else call("fs", op="list", path=".")
    assert _untouched(outside)


def test_a_workspace_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)
    with pytest.raises(SandboxError):
        Workspace(tmp_path / "alias")


def test_deep_trees_do_not_exhaust_the_harness(call: Call, folder: Path) -> None:
    made = call("shell", cmd="for i in $(seq 1 400); do mkdir d && cd d || exit 1; done")
    assert made.ok or "nested" in made.stderr
    assert "nested" in call("fs", op="write", path="x", text="").stderr
    fd = os.open(folder, os.O_RDONLY)
    for name in [p.name for p in folder.iterdir()]:
        transfer.remove_entry(fd, name)
    assert list(folder.iterdir()) == []
    os.close(fd)


def test_rollback_removes_a_tree_too_deep_to_save(folder: Path) -> None:
    store = SnapshotStore(folder.parent / "state", folder)
    first = store.take()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(700):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    store.restore(first)
    assert sorted(p.name for p in folder.iterdir()) == ["dir"]


def test_the_state_folder_may_not_lie_in_the_workspace(folder: Path) -> None:
    with pytest.raises(Exception, match="state"):
        SnapshotStore(folder / "state", folder)
