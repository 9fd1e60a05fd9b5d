"""Attempts to read, write or link what lies outside the workspace."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from conftest import BACKEND

READ = 'attempt("read", lambda: open(A["path"]).read())'


def test_host_file_by_its_path(inside, outside, secret: Path) -> None:
    assert secret.read_text() in outside(READ, path=str(secret)).escaped["read"]
    inside(READ, path=str(secret))


def test_host_file_through_parent_folders(inside, secret: Path) -> None:
    code = 'for up in range(1, 12): attempt(str(up), lambda: open("/workspace/" + "../" * up + A["path"]).read())'
    assert len(inside(code, path=str(secret).lstrip("/")).held) == 11


def test_host_file_through_a_planted_link(inside, outside, workspace: Path, secret: Path) -> None:
    (workspace / "innocent").symlink_to(secret)
    (workspace / "up").symlink_to(workspace.parent, target_is_directory=True)
    code = 'attempt("file", lambda: open("innocent").read()); attempt("folder", lambda: open("up/secret.txt").read())'
    outside(code)
    assert set(inside(code).held) == {"file", "folder"}


def test_host_file_through_process_folders(inside, secret: Path) -> None:
    code = """
for name in os.listdir("/proc"):
    if name.isdigit():
        for way in ("root", "cwd"):
            attempt(name + way, lambda: open(f"/proc/{name}/{way}" + A["path"]).read())
"""
    assert len(inside(code, path=str(secret)).held) >= 4


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/ssh", "/root", "/home", "/sys/kernel", "/boot", "/opt", "/srv"])
@pytest.mark.skipif(BACKEND == "docker", reason="these are the image's own, which hold nothing of the host")
def test_host_folders_are_absent(inside, path: str) -> None:
    inside('attempt("stat", os.stat, A["path"])', path=path)


def test_a_link_written_inside_changes_nothing_outside(inside, secret: Path) -> None:
    before = secret.read_bytes()
    code = """
os.symlink(A["path"], "out"); os.symlink("/etc/passwd", "users")
attempt("out", put, "out", "x")
attempt("users", put, "users", "x")
"""
    inside(code, path=str(secret))
    assert secret.read_bytes() == before


WRITE = """
for place in A["places"]:
    attempt(place, lambda: open(place + "/planted", "w").write("x"))
    attempt(place + " folder", lambda: os.mkdir(place + "/planted-folder"))
"""


def test_write_outside_the_workspace(inside) -> None:
    places = ["/", "/usr", "/usr/bin", "/bin", "/lib", "/etc", "/var", "/dev", "/proc", "/proc/sys", "/root", "/home"]
    assert len(inside(WRITE, places=places).held) == 2 * len(places)


def test_change_system_programs(inside) -> None:
    code = """
for path in ("/usr/bin/env", "/bin/sh", "/etc/passwd", "/etc/ld.so.cache", "/usr/lib"):
    attempt("open " + path, lambda: open(path, "r+b"))
    attempt("chmod " + path, lambda: os.chmod(path, 0o777))
    attempt("unlink " + path, lambda: os.unlink(path))
    attempt("rename " + path, lambda: os.rename(path, path + ".old"))
    attempt("utime " + path, lambda: os.utime(path))
"""
    inside(code)


def test_overwrite_the_running_launcher(inside) -> None:
    """The way of CVE-2019-5736: reach a host program through /proc/PID/exe."""
    code = """
for name in ("self", "1", str(os.getppid())):
    attempt(name, lambda: os.open(f"/proc/{name}/exe", os.O_WRONLY))
    fd = os.open(f"/proc/{name}/exe", os.O_PATH)
    attempt(name + " by descriptor", lambda: os.open(f"/proc/self/fd/{fd}", os.O_RDWR))
"""
    inside(code)


def test_hard_links_to_system_files(inside, workspace: Path) -> None:
    code = """
for path in ("/usr/bin/su", "/etc/passwd", "/etc/hosts", "/proc/1/exe", "/dev/null"):
    attempt(path, lambda: os.link(path, "/workspace/linked"))
"""
    inside(code)
    assert list(workspace.iterdir()) == []


def test_rename_out_of_the_workspace(inside) -> None:
    code = """
open("mine", "w").write("x")
for place in ("/planted", "/usr/planted", "/etc/planted", "/workspace/../planted"):
    attempt(place, lambda: os.rename("mine", place))
"""
    inside(code)


def test_read_only_workspace_stays_unchanged(inside, outside, workspace: Path) -> None:
    (workspace / "kept").write_text("before")
    code = """
attempt("write", lambda: open("kept", "w").write("after"))
attempt("create", lambda: open("new", "w"))
attempt("unlink", lambda: os.unlink("kept"))
attempt("rename", lambda: os.rename("kept", "moved"))
attempt("chmod", lambda: os.chmod("kept", 0o777))
attempt("mkdir", lambda: os.mkdir("folder"))
attempt("symlink", lambda: os.symlink("kept", "link"))
attempt("utime", lambda: os.utime("kept", (1, 1)))
attempt("truncate", lambda: os.truncate("kept", 0))
attempt("xattr", lambda: os.setxattr("kept", "user.x", b"y"))
attempt("remount", lambda: subprocess.run(["mount", "-o", "remount,rw", "/workspace"], check=True))
attempt("through proc", lambda: open("/proc/1/root/workspace/kept", "w").write("after"))
"""
    before = (workspace / "kept").stat()
    assert len(inside(code, writable=False).held) == 12
    after = (workspace / "kept").stat()
    assert ((workspace / "kept").read_text(), list(workspace.iterdir())) == ("before", [workspace / "kept"])
    assert (before.st_mode, before.st_mtime_ns) == (after.st_mode, after.st_mtime_ns)
    assert "write" in outside(code).escaped


def test_set_user_id_files_cannot_be_made(inside, jail, workspace: Path) -> None:
    """On the host they would belong to the person who runs the agent."""
    code = """
subprocess.run(["cp", "/bin/bash", "shell"], check=True)
attempt("chmod", lambda: os.chmod("shell", 0o4755))
attempt("chmod group", lambda: os.chmod("shell", 0o2755))
attempt("fchmod", lambda: os.fchmod(os.open("shell", os.O_RDONLY), 0o6755))
attempt("create", lambda: os.open("made", os.O_CREAT | os.O_WRONLY, 0o4755))
attempt("nameless", lambda: os.open("/workspace", os.O_TMPFILE | os.O_WRONLY, 0o4755))
attempt("program", lambda: subprocess.run(["chmod", "u+s", "shell"], check=True))
attempt("fchmodat2", lambda: syscall(452, -100, b"shell", 0o4755, 0))
import struct
how = ctypes.create_string_buffer(struct.pack("QQQ", os.O_CREAT | os.O_WRONLY, 0o4755, 0))
attempt("openat2", lambda: syscall(437, -100, b"made2", how, 24))
import tarfile, io
with tarfile.open("a.tar", "w") as tar:
    info = tarfile.TarInfo("packed"); info.mode = 0o4755; tar.addfile(info, io.BytesIO())
subprocess.run(["tar", "-xpf", "a.tar"])
"""
    inside(code)
    assert (workspace / "shell").exists()
    for path in workspace.iterdir():
        assert not path.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID), path


def test_file_capabilities_cannot_be_given(inside) -> None:
    code = """
open("program", "w").close()
import struct
capabilities = struct.pack("<IIIII", 0x02000001, 0x2000ff, 0, 0, 0)
attempt("set", lambda: os.setxattr("program", "security.capability", capabilities))
attempt("trusted", lambda: os.setxattr("program", "trusted.x", b"y"))
"""
    inside(code)


@pytest.mark.parametrize("kind", ["c", "b"])
def test_device_nodes_cannot_be_made(inside, jail, kind: str) -> None:
    code = """
import stat
for place in ("/workspace", "/tmp", "/dev/shm", "/run"):
    for number in (os.makedev(1, 1), os.makedev(8, 0), os.makedev(254, 0), os.makedev(1, 3)):
        flag = stat.S_IFCHR if A["kind"] == "c" else stat.S_IFBLK
        attempt(f"{place} {number}", lambda: os.mknod(place + "/node", 0o666 | flag, number))
attempt("program", lambda: subprocess.run(["mknod", "node", A["kind"], "1", "3"], check=True))
"""
    inside(code, kind=kind)
    assert jail.run(["mkfifo", "pipe"]).exit_code == 0  # pipes stay possible


def test_devices_are_absent(inside) -> None:
    names = (
        "sda vda nvme0n1 mem kmem port kmsg fuse kvm net/tun loop-control mapper/control "
        "vhost-net uinput snapshot console hpet rtc0"
    ).split()
    assert len(
        inside('for n in A["names"]: attempt(n, lambda: os.open("/dev/" + n, os.O_RDONLY))', names=names).held
    ) == len(names)


def test_file_handles_cannot_be_opened(inside) -> None:
    """The way of `shocker`: open a host file by a guessed handle."""
    code = """
import struct
handle = ctypes.create_string_buffer(struct.pack("IiQ", 8, 1, 2), 136)
mount_id = ctypes.c_int()
fd = os.open("/workspace", os.O_RDONLY)
attempt("open_by_handle_at", lambda: syscall(A["open"], fd, handle, 0))
attempt("name_to_handle_at", lambda: syscall(A["name"], -100, b"/workspace", handle, ctypes.byref(mount_id), 0))
"""
    import pyseccomp

    number = pyseccomp.resolve_syscall
    arch = pyseccomp.Arch.NATIVE
    inside(code, open=number(arch, "open_by_handle_at"), name=number(arch, "name_to_handle_at"))


def test_another_sandbox_is_out_of_reach(inside, limits, tmp_path: Path) -> None:
    from hybrid_agent.tools.sandbox import make_sandbox

    other = tmp_path / "other"
    other.mkdir()
    box = make_sandbox(BACKEND, other, limits)
    try:
        assert box.run(["sh", "-c", "echo mine > file; echo scratch > /tmp/file"]).exit_code == 0
        code = """
attempt("path", lambda: open(A["path"]).read())
attempt("scratch", lambda: open("/tmp/file").read())
attempt("sibling", lambda: os.listdir("/workspace/../other"))
"""
        inside(code, path=str(other / "file"))
    finally:
        box.close()


def test_scratch_does_not_outlive_a_call(jail) -> None:
    assert (
        jail.run(["sh", "-c", "echo left > /tmp/left; echo left > /dev/shm/left; echo left > /run/left"]).exit_code == 0
    )
    assert jail.run(["find", "/tmp", "/dev/shm", "/run", "-type", "f"]).stdout == ""


def test_extra_binds_are_read_only(workspace: Path, limits, tmp_path: Path) -> None:
    from hybrid_agent.tools.sandbox import make_sandbox

    extra = tmp_path / "extra"
    extra.mkdir()
    (extra / "data").write_text("given")
    box = make_sandbox(BACKEND, workspace, limits, ro_binds={"/opt/extra": extra})
    try:
        assert box.run(["cat", "/opt/extra/data"]).stdout == "given"
        assert (
            box.run(["sh", "-c", "echo x > /opt/extra/data || echo x > /opt/extra/new || rm /opt/extra/data"]).exit_code
            != 0
        )
    finally:
        box.close()
    assert [p.name for p in extra.iterdir()] == ["data"] and (extra / "data").read_text() == "given"


def test_very_deep_trees_do_not_break_the_harness(jail, workspace: Path) -> None:
    code = "import os\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')\nimport time; time.sleep(20)"
    try:
        done = jail.run(["python3", "-c", code], timeout_s=10)
        assert done.killed_by == "disk"
    finally:
        # pytest's own tidying could not: it goes down by recursion.
        subprocess.run(["rm", "-rf", workspace / "d"], check=True)


def test_an_overfull_workspace_can_be_cleaned_from_inside(jail, workspace: Path, limits) -> None:
    for n in range(limits.disk_files + 500):
        (workspace / str(n)).touch()
    done = jail.run(["bash", "-c", "sleep 1.5; find . -type f -delete"])
    assert done.exit_code == 0 and done.killed_by is None, done


def test_odd_file_names_do_not_break_the_harness(jail) -> None:
    code = "import os\nfor n in (b'a\\nb', b'\\xff\\xfe', b'-rf', b'\\x1b[2J', b'x' * 255): os.mkdir(n)"
    assert jail.run(["python3", "-c", code]).exit_code == 0
    assert jail.run(["true"]).exit_code == 0
