"""Which calls reach for another machine. The sandbox has no network; the rules say so before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hybrid_agent.tools.findings import Findings
from hybrid_agent.tools.shell_parse import Word

if TYPE_CHECKING:
    from hybrid_agent.tools.shell_rules import ShellJudge

WHY = "network connections are not available"
# Do nothing but talk to a host.
CLIENTS = frozenset(
    ("curl", "wget", "nc", "ncat", "netcat", "socat", "ssh", "scp", "sftp", "ftp", "tftp", "lftp", "telnet", "nmap",
     "ping", "dig", "nslookup", "host", "aria2c", "axel", "lynx", "links", "w3m", "http", "https", "rclone", "mail",
     "mailx", "sendmail", "mutt", "swaks", "aws", "gsutil", "gcloud", "az", "s3cmd", "gh", "twine", "ssh-copy-id",
     "sshfs", "autossh", "ngrok", "cloudflared", "croc", "wormhole", "rlogin", "rsh")
)  # fmt: skip
# Fetch from a host when an argument is an address.
INSTALLERS = frozenset(
    ("pip", "pip3", "uv", "pipx", "npm", "npx", "yarn", "pnpm", "gem", "cargo", "go", "easy_install", "conda")
)
_UPLOADS = frozenset(("publish", "upload", "push", "login"))
_LOCAL = re.compile(
    r"(?:[a-z+]+://)?(?:[^/@\s]*@)?(?:localhost|127(?:\.\d+){3}|\[::1\]|::1|0\.0\.0\.0)(?:[:/?].*)?$", re.I
)
_ADDRESS = re.compile(r"^(?:--?[\w-]+=)?(?:git\+|hg\+)?(?:https?|ftps?|ssh|git|wss?|s3|gs|rsync)(?:\+\w+)?://", re.I)
_REMOTE = re.compile(r"^(?:[\w.-]+@)?[\w-]+(?:\.[\w-]+)*::?(?!//)[^\\]")
_MODULES = (
    "urllib.request.urlopen", "urllib.request.urlretrieve", "urllib2.urlopen", "requests.", "httpx.", "aiohttp.",
    "http.client.HTTPConnection", "http.client.HTTPSConnection", "socket.create_connection", "socket.gethostbyname",
    "socket.getaddrinfo", "smtplib.SMTP", "ftplib.FTP", "paramiko.", "telnetlib.Telnet", "xmlrpc.client.ServerProxy",
    "asyncio.open_connection", "poplib.", "imaplib.", "boto3.",
)  # fmt: skip


def local(text: str) -> bool:
    """Whether an address or host is this machine."""
    return _LOCAL.match(text) is not None


def address(text: str) -> bool:
    """Whether a word is an address on another machine."""
    return _ADDRESS.match(text) is not None and not local(text.split("=", 1)[-1].removeprefix("git+"))


def remote_path(text: str) -> bool:
    """`host:path`, as scp, rsync and git take it."""
    return "/" not in text.split(":", 1)[0] and _REMOTE.match(text) is not None and not local(text)


def client(shell: ShellJudge, name: str, arguments: Sequence[Word]) -> None:
    """Judge a command of `CLIENTS` or `INSTALLERS`."""
    texts = [word.text for word in arguments]
    shell.findings.change()
    for text in texts:
        if text.startswith("file://"):
            shell.reads(Word(text[7:]))
    if any(address(text) for text in texts):
        shell.findings.deny("network", WHY)
    elif name in INSTALLERS:
        plain = [text for text in texts if not text.startswith("-")]
        if (plain[:1] and plain[0] in _UPLOADS) or "--git" in texts:
            shell.findings.deny("network", WHY)
    elif name in ("nc", "ncat", "netcat", "socat") and (
        {"-e", "-c", "--exec", "--sh-exec"} & set(texts) or any(re.search(r"\b(EXEC|SYSTEM):", t, re.I) for t in texts)
    ):
        shell.findings.deny("network", f"{name} would hand a shell to whoever connects")
    elif not _harmless(texts):
        shell.findings.deny("network", WHY)


def _harmless(texts: Sequence[str]) -> bool:
    """Only asks for help, listens here, reads a file, or talks to this machine."""
    if not texts or {"--version", "--help", "-V", "-h"} & set(texts):
        return True
    if any(local(text) or text.startswith("file://") for text in texts):
        return True
    return any(re.fullmatch(r"-[a-z]*l[a-z]*", text) for text in texts) and any(t.isdigit() for t in texts)


def rsync(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    """rsync: to another host, or mirroring by removal."""
    shell.findings.change()
    for word in arguments:
        if address(word.text) or (not word.text.startswith("-") and remote_path(word.text)):
            shell.findings.deny("network", WHY)
        elif word.text.startswith(("--delete", "--remove-source-files")):
            shell.findings.destroy("shell.rsync", f"rsync {word.text} removes files")


def openssl(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    """openssl s_client connects."""
    texts = [word.text for word in arguments]
    if texts[:1] == ["s_client"] and not any(local(text) for text in texts):
        shell.findings.deny("network", WHY)


def python_call(name: str, texts: Iterable[str | None], findings: Findings) -> None:
    """A Python call by its dotted name; `texts` are its constant arguments."""
    if not name.startswith(_MODULES):
        return
    known = [text for text in texts if text is not None]
    if name.startswith("requests.") and name.rsplit(".", 1)[-1] in ("Session", "Request"):
        return
    if not any(local(text) or text.startswith("file:") for text in known):
        findings.deny("network", WHY)
