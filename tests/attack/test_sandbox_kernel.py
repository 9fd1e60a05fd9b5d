"""System calls a jail must not be able to make, settings of the kernel, and ways into further namespaces."""

from __future__ import annotations

import errno
import platform

import pyseccomp
import pytest
from conftest import BACKEND

# Each with arguments that would work, or come close, for a process that may make the call.
CALLS: dict[str, str] = {
    "mount": 'b"none", b"/tmp", b"tmpfs", 0, None',
    "umount2": 'b"/tmp", 2',
    "pivot_root": 'b"/workspace", b"/workspace"',
    "chroot": 'b"/workspace"',
    "open_tree": '-100, b"/workspace", 1',
    "move_mount": '-100, b"/tmp", -100, b"/run", 0',
    "fsopen": 'b"tmpfs", 0',
    "fspick": '-100, b"/tmp", 0',
    "mount_setattr": '-100, b"/workspace", 0, ctypes.create_string_buffer(32), 32',
    "setns": 'os.open("/proc/self/ns/mnt", os.O_RDONLY), 0',
    "unshare": "0x10000000",
    "ptrace": "0, 0, 0, 0",
    "process_vm_readv": "os.getppid(), None, 0, None, 0, 0",
    "process_vm_writev": "os.getppid(), None, 0, None, 0, 0",
    "pidfd_getfd": "os.pidfd_open(os.getppid()), 0, 0",
    "kcmp": "os.getpid(), os.getppid(), 2, 0, 0",
    "add_key": 'b"user", b"planted", b"x", 1, -4',
    "request_key": 'b"user", b"planted", None, 0',
    "keyctl": "0, -3, 1",
    "bpf": "0, ctypes.create_string_buffer(128), 128",
    "perf_event_open": "ctypes.create_string_buffer(128), 0, -1, -1, 0",
    "userfaultfd": "1",
    "io_uring_setup": "4, ctypes.create_string_buffer(120)",
    "io_uring_enter": "0, 0, 0, 0, None, 0",
    "memfd_secret": "0",
    "fanotify_init": "0, 0",
    "open_by_handle_at": "0, ctypes.create_string_buffer(136), 0",
    "swapon": 'b"/workspace/file", 0',
    "acct": 'b"/workspace/file"',
    "quotactl": '0x800001, b"/dev/vda", 0, None',
    "syslog": "3, ctypes.create_string_buffer(64), 64",
    "reboot": "0xfee1dead, 672274793, 0, None",
    "kexec_load": "0, 0, None, 0",
    "init_module": 'None, 0, b""',
    "finit_module": '0, b"", 0',
    "delete_module": 'b"ext4", 0x800',
    "sethostname": 'b"taken", 5',
    "settimeofday": "ctypes.create_string_buffer(16), None",
    "clock_settime": "0, ctypes.create_string_buffer(16)",
    "vhangup": "",
    "iopl": "3",
    "ioperm": "0, 8, 1",
}


@pytest.mark.parametrize("name", CALLS)
def test_call_is_refused(inside, name: str) -> None:
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    if number < 0:
        pytest.skip("no such call on this architecture")
    tried = inside(f'attempt("call", lambda: syscall(A["number"], {CALLS[name]}))', number=number)
    assert f"Error {errno.EPERM} " in tried.held["call"]


@pytest.mark.parametrize(
    "name", ["ptrace", "userfaultfd", "unshare", "io_uring_setup", "memfd_secret", "keyctl", "kcmp"]
)
def test_the_call_would_work_without_a_jail(open_air, name: str) -> None:
    from conftest import attack

    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    tried = attack(open_air, f'attempt("call", lambda: syscall(A["number"], {CALLS[name]}))', number=number)
    if not tried.escaped and any(f"Error {n} " in tried.held["call"] for n in (errno.ENOSYS, errno.EPERM)):
        pytest.skip("this machine refuses the call to everyone")
    assert tried.escaped, tried.held


def test_calls_from_the_future_are_unknown(inside) -> None:
    code = "for number in (*range(452, 520), 1000, 2**20): attempt(str(number), lambda: syscall(number, 0, 0, 0, 0))"
    held = inside(code).held
    assert len(held) == 70 and all(f"OSError {errno.ENOSYS} " in what for what in held.values())


def test_namespaces_by_clone(inside) -> None:
    code = """
for label, flag in A["flags"].items():
    attempt("clone " + label, lambda: syscall(A["clone"], flag | signal.SIGCHLD, 0, 0, 0, 0) or os._exit(0))
    attempt("unshare " + label, lambda: syscall(A["unshare"], flag))
import struct
args = ctypes.create_string_buffer(struct.pack("11Q", 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0))
attempt("clone3", lambda: syscall(435, args, 88) or os._exit(0))
"""
    from hybrid_agent.tools.sandbox.seccomp import NEW_NAMESPACE

    number = pyseccomp.resolve_syscall
    flags = {k: v for k, v in NEW_NAMESPACE.items() if k != "time"}  # that bit is part of clone's signal number
    tried = inside(
        code,
        flags=flags,
        clone=number(pyseccomp.Arch.NATIVE, "clone"),
        unshare=number(pyseccomp.Arch.NATIVE, "unshare"),
    )
    assert len(tried.held) == 2 * len(flags) + 1


@pytest.mark.parametrize(
    "command",
    ["unshare -Ur true", "unshare -r -m true", "unshare -n true", "unshare -p -f true",
     "bwrap --ro-bind / / true", "bwrap --unshare-all --ro-bind / / true", "nsenter -t 1 -m true", "chroot / true",
     "mount -t tmpfs none /tmp", "mount -o remount,rw /usr", "mount --bind /workspace /usr", "umount /workspace",
     "mount -o remount,rw /", "umount -l /proc", "mount -t proc proc /tmp", "mount -t overlay overlay /tmp"],
)  # fmt: skip
def test_nesting_and_mounting_programs_fail(jail, command: str) -> None:
    done = jail.run(["sh", "-c", command])
    assert done.exit_code not in (0, 127), done


@pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code for x86_64")
@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("the 32-bit entry", b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"),  # mov eax, 20 (getpid); int 0x80; ret
        ("the x32 entry", b"\xb8\x27\x00\x00\x40\x0f\x05\xc3"),  # mov eax, 0x40000027 (getpid); syscall; ret
    ],
)
def test_other_doors_into_the_kernel(jail, label: str, code: bytes) -> None:
    """A filter that looks only at the ordinary call numbers could be passed by another calling convention."""
    program = f"""
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write({code!r})
print("calling", flush=True)
print("got", ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))(), flush=True)
"""
    done = jail.run(["python3", "-c", program])
    assert done.stdout == "calling\n" and done.exit_code >= 128, done


def test_terminal_input_cannot_be_forged(inside) -> None:
    code = """
import fcntl, pty
main, side = pty.openpty()
for name, number in (("TIOCSTI", 0x5412), ("TIOCLINUX", 0x541C), ("TIOCSTI with high bits", 0x5412 | 1 << 32)):
    for fd in (0, main, side):
        attempt(f"{name} {fd}", lambda: syscall(A["ioctl"], fd, number, b"x"))
attempt("terminal", lambda: os.open("/dev/tty", os.O_RDWR))
"""
    tried = inside(code, ioctl=pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, "ioctl"))
    assert sum(f"Error {errno.EPERM} " in what for what in tried.held.values()) == 9


SETTINGS = """kernel/core_pattern kernel/modprobe kernel/hostname vm/panic_on_oom vm/overcommit_memory
kernel/randomize_va_space fs/protected_symlinks user/max_user_namespaces net/ipv4/ip_forward fs/mqueue/msg_max"""


def test_kernel_settings_are_read_only(inside) -> None:
    code = """
for path in A["paths"]:
    attempt(path, put, path, "1")
for folder, _, files in os.walk("/proc/sys"):
    for name in files:
        path = os.path.join(folder, name)
        if os.access(path, os.W_OK):
            attempt("open " + path, lambda: os.open(path, os.O_WRONLY))
"""
    paths = [
        *("/proc/sys/" + name for name in SETTINGS.split()),
        *("/proc/" + name for name in "sysrq-trigger irq/default_smp_affinity acpi/wakeup mtrr scsi/scsi".split()),
    ]
    inside(code, paths=paths)


@pytest.mark.skipif(BACKEND == "docker", reason="the engine shows the system tree, read-only: see the test below")
def test_control_groups_and_the_system_tree_are_absent(inside) -> None:
    code = """
for path in ("/sys", "/sys/fs/cgroup", "/sys/kernel/debug", "/sys/kernel/security", "/sys/firmware"):
    attempt(path, lambda: os.stat(path))
"""
    inside(code)


def test_control_groups_and_the_system_tree_cannot_be_written(jail) -> None:
    code = """
import os
for folder, folders, files in os.walk("/sys"):
    for name in files:
        path = os.path.join(folder, name)
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError:
            continue
        print("open", path)
    try:
        os.mkdir(os.path.join(folder, "planted"))
    except OSError:
        continue
    print("made", folder)
"""
    assert jail.run(["python3", "-c", code], timeout_s=60).stdout == ""
