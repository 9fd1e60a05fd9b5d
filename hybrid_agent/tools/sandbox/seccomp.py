"""The system call filter of the jail, as BPF bytes for `bwrap --seccomp`.

A list of refusals, not of permissions: programs the agent runs (git, make, python, compilers) use
most of the ordinary calls, while everything refused here serves to leave a jail, to look into other
processes, or reaches rarely tested kernel code. Calls newer than the newest one reviewed are unknown to
the jail (ENOSYS), so a new kernel opens nothing by itself.
"""

from __future__ import annotations

import errno
import functools
import os
import platform
import struct
import tempfile

from hybrid_agent.errors import SandboxError

REFUSED = (
    # the view of the file system
    "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount",
    "fspick", "mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd", "fanotify_init",
    "name_to_handle_at", "open_by_handle_at",
    # other namespaces
    "setns", "unshare",
    # other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    # kernel keys, programs, counters, faults, rings
    "add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "memfd_secret", "lookup_dcookie",
    # the machine
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "acct", "syslog",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "iopl",
    "ioperm", "vhangup", "modify_ldt", "uselib", "ustat", "sysfs", "_sysctl", "nfsservctl",
)  # fmt: skip

# clone3 passes its flags in memory, where a filter cannot look: unknown, so that libc falls back to clone.
# openat2 likewise hides its mode bits.
UNKNOWN = ("clone3", "openat2")

NEW_NAMESPACE = {
    "time": 0x80, "mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000,
    "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000,
}  # fmt: skip

# Calls that set mode bits, with the index of the mode argument. Files of the jail belong, on the host, to
# the person who runs the agent: a set-user-id file made here would lend that person's rights to others.
MODE_ARGUMENT = {
    "chmod": 1, "fchmod": 1, "fchmodat": 2, "creat": 1, "mkdir": 1, "mkdirat": 2, "mknod": 1, "mknodat": 2,
}  # fmt: skip
# These have a mode only if they create; otherwise that register holds anything.
OPEN_ARGUMENTS = {"open": (1, 2), "openat": (2, 3)}  # flags, mode
CREATES = (os.O_CREAT, os.O_TMPFILE & ~os.O_DIRECTORY)
SETUID, SETGID = 0o4000, 0o2000
DEVICE_TYPES = (0o020000, 0o060000)  # character, block
TYPE_MASK = 0o170000

TERMINAL_INPUT = (0x5412, 0x541C, 0x5423)  # TIOCSTI, TIOCLINUX, TIOCSETD
SOCKET_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink; vsock above all is not cut off by a namespace

NEWEST_REVIEWED = 451  # cachestat; numbers from 424 on are the same on every architecture
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000


@functools.lru_cache(maxsize=1)
def filter_bytes() -> bytes:
    """The compiled filter, made once per process (about 40 ms).

    Raises:
        SandboxError: libseccomp or its Python binding is missing.
    """
    try:
        import pyseccomp as sc  # type: ignore[import-untyped]
    except (ImportError, OSError, RuntimeError) as error:
        raise SandboxError(f"the system call filter needs libseccomp (apt install libseccomp2): {error}") from None

    rules = sc.SyscallFilter(sc.ALLOW)
    denied = sc.ERRNO(errno.EPERM)

    def refuse(name: str, action: int, *args: object) -> None:
        try:
            rules.add_rule(action, name, *args)
        except (OSError, ValueError, RuntimeError):
            # A call this architecture or libseccomp does not know by name; the cut at NEWEST_REVIEWED holds new ones.
            return

    for name in REFUSED:
        refuse(name, denied)
    for name in UNKNOWN:
        refuse(name, sc.ERRNO(errno.ENOSYS))
    for bit in NEW_NAMESPACE.values():
        refuse("clone", denied, sc.Arg(0, sc.MASKED_EQ, bit, bit))
    for name, index in MODE_ARGUMENT.items():
        for bit in (SETUID, SETGID):
            refuse(name, denied, sc.Arg(index, sc.MASKED_EQ, bit, bit))
    for name, (flags, mode) in OPEN_ARGUMENTS.items():
        for create in CREATES:
            for bit in (SETUID, SETGID):
                made = sc.Arg(flags, sc.MASKED_EQ, create, create)
                refuse(name, denied, made, sc.Arg(mode, sc.MASKED_EQ, bit, bit))
    for name in ("mknod", "mknodat"):
        for kind in DEVICE_TYPES:
            refuse(name, denied, sc.Arg(MODE_ARGUMENT[name], sc.MASKED_EQ, TYPE_MASK, kind))
    for request in TERMINAL_INPUT:
        refuse("ioctl", denied, sc.Arg(1, sc.MASKED_EQ, 0xFFFFFFFF, request))
    refuse("socket", sc.ERRNO(errno.EAFNOSUPPORT), sc.Arg(0, sc.GT, max(SOCKET_FAMILIES)))
    for family in range(max(SOCKET_FAMILIES)):
        if family not in SOCKET_FAMILIES:
            refuse("socket", sc.ERRNO(errno.EAFNOSUPPORT), sc.Arg(0, sc.EQ, family))
    with tempfile.TemporaryFile() as out:
        rules.export_bpf(out)
        out.seek(0)
        compiled = out.read()
    return _unknown_is_refused() + compiled


def _unknown_is_refused() -> bytes:
    """BPF that answers ENOSYS to calls above NEWEST_REVIEWED and otherwise falls through.

    libseccomp cannot compare call numbers, so these six instructions go in front of its program; jumps in
    BPF are relative and forward only, hence a prefix changes nothing behind it.
    """
    arch = AUDIT_ARCH.get(platform.machine())
    if arch is None:
        return b""
    load, jump_eq, jump_ge, jump_gt, give = 0x20, 0x15, 0x35, 0x25, 0x06
    program = [
        (load, 0, 0, 4),  # the architecture
        (jump_eq, 0, 4, arch),  # another one: libseccomp's own check ends it
        (load, 0, 0, 0),  # the call number
        (jump_ge, 2, 0, X32_BIT),  # the x32 variant: likewise
        (jump_gt, 0, 1, NEWEST_REVIEWED),
        (give, 0, 0, 0x00050000 | errno.ENOSYS),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in program)
