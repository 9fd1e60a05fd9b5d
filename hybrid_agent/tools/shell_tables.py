"""Names of commands, by what they can do. Options are read in `shell_commands`."""

from __future__ import annotations

# Never run: they act on the machine, on other users, or on the sandbox itself.
FORBIDDEN = {
    **dict.fromkeys(("sudo", "su", "doas", "pkexec", "runuser", "setpriv"), "privilege"),
    **dict.fromkeys(
        ("mkfs", "mkswap", "fdisk", "sfdisk", "cfdisk", "parted", "wipefs", "blkdiscard", "hdparm", "badblocks"), "disk"
    ),
    **dict.fromkeys(("mount", "umount", "losetup", "swapon", "swapoff", "cryptsetup", "fusermount"), "mount"),
    **dict.fromkeys(("shutdown", "reboot", "halt", "poweroff", "init", "telinit", "kexec"), "power"),
    **dict.fromkeys(("chroot", "pivot_root", "unshare", "nsenter", "bwrap", "capsh"), "namespace"),
    **dict.fromkeys(("insmod", "modprobe", "rmmod", "sysctl", "setenforce", "iptables", "nft", "ip6tables"), "kernel"),
    **dict.fromkeys(("useradd", "userdel", "usermod", "groupadd", "passwd", "chpasswd", "visudo", "chsh"), "accounts"),
}
WHY = {
    "privilege": "other users' rights are not available",
    "disk": "works on disks",
    "mount": "changes mounts",
    "power": "stops the machine",
    "namespace": "leaves the sandbox's own view",
    "kernel": "changes the kernel's settings",
    "accounts": "changes accounts",
}

# Run another command given in their arguments: name -> options that take a value.
WRAPPERS: dict[str, tuple[str, ...]] = {
    "env": ("-u", "--unset", "-C", "--chdir", "-S"),
    "nohup": (),
    "nice": ("-n", "--adjustment"),
    "ionice": ("-c", "-n", "-p"),
    "timeout": ("-s", "--signal", "-k", "--kill-after"),
    "stdbuf": ("-i", "-o", "-e"),
    "setsid": (),
    "command": (),
    "builtin": (),
    "exec": ("-a",),
    "busybox": (),
    "time": ("-f", "-o"),
    "xargs": ("-I", "-n", "-P", "-d", "-L", "-s", "-a", "-E", "--max-args", "--max-procs", "--delimiter"),
    "chrt": ("-p",),
    "taskset": ("-p",),
    "flock": ("-w", "-E"),
    "watch": ("-n",),
}
SHELLS = frozenset(("bash", "sh", "dash", "zsh", "ksh", "ash", "rbash"))
PYTHONS = frozenset(("python", "python3", "python3.11"))
DOWNLOADERS = frozenset(("curl", "wget", "fetch", "nc", "ncat"))
INTERPRETERS = SHELLS | PYTHONS | {"perl", "ruby", "node", "php", "source", ".", "eval"}

# Words of these are text or expressions, not paths.
TEXT_ONLY = frozenset(
    ("echo", "printf", "test", "[", "true", "false", ":", "expr", "let", "read", "set", "shift", "export", "local",
     "declare", "typeset", "readonly", "unset", "alias", "unalias", "break", "continue", "return", "exit", "seq", "tr",
     "sleep", "wait", "jobs", "fg", "bg", "disown", "umask", "ulimit", "shopt", "hash", "getopts", "basename",
     "dirname", "date", "trap", "kill", "pkill", "killall", "pgrep", "yes", "getconf", "bc", "dc", "factor", "times")
)  # fmt: skip

# Only look, unless an option says otherwise.
LOOKING = TEXT_ONLY | frozenset(
    ("ls", "dir", "cat", "tac", "head", "tail", "wc", "grep", "egrep", "fgrep", "zgrep", "find", "stat", "file", "diff",
     "cmp", "comm", "cut", "nl", "rev", "od", "hexdump", "strings", "sha1sum", "sha256sum", "sha512sum", "md5sum",
     "b2sum", "cksum", "sum", "pwd", "realpath", "readlink", "whoami", "id", "groups", "uname", "hostname", "printenv",
     "which", "type", "whereis", "ps", "du", "df", "free", "uptime", "nproc", "arch", "jq", "sort", "uniq", "paste",
     "join", "fold", "fmt", "column", "tsort", "awk", "mawk", "gawk", "sed", "zcat", "bzcat", "xzcat", "zstdcat",
     "zipinfo", "cd", "pushd", "popd", "dirs", "getent", "lsof", "expand", "unexpand", "base64", "base32", "numfmt",
     "shuf", "pr", "locale", "tty", "mapfile", "readarray", "more", "less", "xxd", "look", "pathchk", "lscpu", "help",
     "tar", "unzip", "git", "csplit", "nm", "objdump", "readelf", "ldd", "md5", "env", "who", "w", "top", "vmstat")
)  # fmt: skip

# First word that is not an option is a pattern or program, not a path.
PATTERN_FIRST = frozenset(("grep", "egrep", "fgrep", "zgrep", "sed", "awk", "mawk", "gawk", "jq", "perl"))
# Write to the paths in their arguments (all, or the last one).
WRITES_ALL = frozenset(
    ("rm", "rmdir", "unlink", "shred", "truncate", "touch", "mkdir", "mkfifo", "mknod", "chmod", "chown", "chgrp",
     "tee", "gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz", "zip", "setfacl", "chattr", "mv", "patch", "split",
     "mktemp")
)  # fmt: skip
WRITES_LAST = frozenset(("cp", "ln", "install", "link"))
REMOVES = frozenset(("rm", "rmdir", "unlink", "shred", "srm", "wipe"))
ROOTS = frozenset(
    ("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "media", "mnt", "opt", "proc", "root", "run",
     "sbin", "srv", "sys", "tmp", "usr", "var", "workspace")
)  # fmt: skip
