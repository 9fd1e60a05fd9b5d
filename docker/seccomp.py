"""Prints the system call filter of the tools service's container (docker/seccomp-tools.json).

    python docker/seccomp.py > docker/seccomp-tools.json   (from the root of the checkout)

The engine's own filter keeps a process without CAP_SYS_ADMIN from making namespaces and mounts, and bubblewrap makes
its jail of exactly these. Granting that capability would open far more than the calls do, so the filter is replaced:
by the refusals of our own jail (`hybrid_agent/tools/sandbox/seccomp.py`), less what bubblewrap needs. Each
jail inside then has that full filter, which refuses these calls again.
"""

from __future__ import annotations

import json
import sys

from hybrid_agent.tools.sandbox.seccomp import REFUSED, SOCKET_FAMILIES, TERMINAL_INPUT

BUBBLEWRAP_NEEDS = ("mount", "umount2", "pivot_root", "unshare", "sethostname")
EPERM, EAFNOSUPPORT = 1, 97


def profile() -> dict[str, object]:
    """The filter in the engine's format."""
    refused = sorted(set(REFUSED) - set(BUBBLEWRAP_NEEDS))
    rules: list[dict[str, object]] = [{"names": refused, "action": "SCMP_ACT_ERRNO", "errnoRet": EPERM}]
    for request in TERMINAL_INPUT:
        compare = {"index": 1, "value": 0xFFFFFFFF, "valueTwo": request, "op": "SCMP_CMP_MASKED_EQ"}
        rules.append({"names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": EPERM, "args": [compare]})
    above = {"index": 0, "value": max(SOCKET_FAMILIES), "op": "SCMP_CMP_GT"}
    rules.append({"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": EAFNOSUPPORT, "args": [above]})
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
        ],
        "syscalls": rules,
    }


if __name__ == "__main__":
    json.dump(profile(), sys.stdout, indent=2)
    print()
