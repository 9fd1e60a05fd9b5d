"""Further commands that take something away, open something up, or stay behind: what their arguments ask for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from hybrid_agent.tools.findings import Findings, Where
from hybrid_agent.tools.shell_parse import Word

if TYPE_CHECKING:
    from hybrid_agent.tools.shell_rules import ShellJudge

# Always need approval: name -> why.
STAYS = "stays behind when the task is over"
APPROVED = {
    **dict.fromkeys(("at", "batch", "anacron", "update-rc.d", "chkconfig", "launchctl", "loginctl"), STAYS),
    **dict.fromkeys(("killall5", "fuser", "skill", "snice", "xkill", "slay"), "ends processes"),
    **dict.fromkeys(("stress", "stress-ng", "sysbench"), "is made to load the machine"),
    **dict.fromkeys(("setfacl", "chattr", "setcap", "chown", "chgrp", "newgrp"), "changes rights"),
    **dict.fromkeys(
        ("expect", "unbuffer", "gdb", "ltrace", "systemd-run", "screen", "tmux", "at"), "runs other programs"
    ),
    **dict.fromkeys(("dropdb", "dropuser", "mongo", "mongosh"), "works on a database"),
    **dict.fromkeys(
        ("apt", "apt-get", "dpkg", "yum", "dnf", "apk", "rpm", "snap", "brew", "pacman"), "changes the system"
    ),
}
_CONTAINERS = frozenset(("docker", "podman", "nerdctl", "kubectl", "helm", "terraform", "ansible", "vagrant", "lxc"))
_SERVICES = frozenset(("systemctl", "service"))
_DATABASES = frozenset(("sqlite3", "psql", "mysql", "mariadb", "sqlcmd", "duckdb", "cqlsh", "redis-cli"))
_EDITORS = frozenset(("ed", "ex", "vi", "vim", "nvim", "emacs", "nano"))
_OTHER_PROGRAMS = {
    "php": ("-r",),
    "lua": ("-e",),
    "Rscript": ("-e",),
    "deno": ("eval",),
    "bun": ("-e",),
    "osascript": ("-e",),
}
NAMES = frozenset((*APPROVED, *_CONTAINERS, *_SERVICES, *_DATABASES, *_EDITORS, *_OTHER_PROGRAMS, "crontab", "alias"))
NAMES |= {"script", "parallel", "strace"}


def judge(shell: ShellJudge, name: str, arguments: list[Word]) -> None:
    """Judge a command of `NAMES`."""
    texts = [word.text for word in arguments]
    findings = shell.findings
    if {"--version", "--help", "-V"} & set(texts[:1]):
        return
    if name in APPROVED:
        findings.destroy(f"shell.{name}", f"{name} {APPROVED[name]}")
    elif name == "crontab":
        if texts != ["-l"]:
            findings.destroy("persist.cron", f"crontab {STAYS}")
        else:
            findings.change()
    elif name in _SERVICES:
        if not {"status", "is-active", "is-enabled", "list-units", "show", "list-unit-files", "cat"} & set(texts):
            findings.destroy("persist.service", f"{name} {STAYS}")
    elif name in _CONTAINERS:
        findings.change()
        if {
            "run",
            "exec",
            "delete",
            "destroy",
            "rm",
            "rmi",
            "prune",
            "push",
            "kill",
            "down",
            "apply",
            "uninstall",
        } & set(texts):
            findings.destroy(f"shell.{name}", f"{name} {' '.join(texts[:1])} acts outside the workspace")
    elif name in _DATABASES:
        findings.change()
        sql(" ".join(texts), findings)
        if re.search(r"\bflush(all|db)\b", " ".join(texts), re.I):
            findings.destroy("sql.drop", "empties the database")
    elif name == "alias":
        for text in texts:
            if "=" in text:
                shell._nested([text.split("=", 1)[1]])
    elif name in ("parallel", "strace"):
        rest = list(arguments)
        while rest and rest[0].text.startswith("-"):
            taken = rest.pop(0)
            if taken.text in ("-j", "-n", "-I", "-o", "-e", "-p") and rest:
                rest.pop(0)
        if rest:
            shell.words(rest, fed_words=name == "parallel")
    else:
        _programs(shell, name, arguments)


def _programs(shell: ShellJudge, name: str, arguments: list[Word]) -> None:
    """Editors and languages that are given a program in an argument."""
    texts = [word.text for word in arguments]
    shell.findings.change()
    if name in _EDITORS:
        if any(re.search(r"%d|!|%s|:q|,d|wq|delete-file|delete-region|system", text) for text in texts) or name == "ed":
            shell.findings.destroy(f"shell.{name}", f"{name} runs editing commands that cannot be judged")
    elif name == "script":
        for place, text in enumerate(texts):
            if text in ("-c", "--command") or re.fullmatch(r"-[a-z]*c", text):
                shell._nested(texts[place + 1 : place + 2])
    else:
        for place, text in enumerate(texts[:-1]):
            if text in _OTHER_PROGRAMS[name] and re.search(
                r"unlink|remove|rmdir|rm|system|exec|file_put|open|delete|fetch|`", texts[place + 1]
            ):
                shell.findings.destroy("shell.program", f"the {name} program may remove files or run commands")


def sql(text: str, findings: Findings) -> None:
    """Statements that throw rows or tables away."""
    for statement in text.split(";"):
        words = statement.strip(" \t\n\"'").split()
        lowered = [word.strip("\"'`").lower() for word in words]
        for place, word in enumerate(lowered):
            following = lowered[place + 1] if place + 1 < len(lowered) else ""
            if word in ("drop", "truncate") and following in ("table", "database", "schema", "index", "view", "user"):
                findings.destroy("sql.drop", f"{word} {following} removes data")
            elif word == "truncate" and place == 0 and following:
                findings.destroy("sql.drop", "truncate removes data")
            elif (word, following) == ("delete", "from") and "where" not in lowered[place:]:
                findings.destroy("sql.delete", "delete without where removes every row")


def mode(text: str, findings: Findings) -> None:
    """Permission bits, octal or symbolic: open to everybody, set-uid, or locked away."""
    if re.fullmatch(r"[0-7]{1,5}", text):
        bits = int(text, 8)
        if bits & 0o6000:
            findings.destroy("mode.setuid", f"mode {text} runs with another user's rights")
        elif bits & 0o002:
            findings.destroy("mode.world", f"mode {text} lets everybody write")
        elif bits & 0o700 == 0:
            findings.destroy("mode.locked", f"mode {text} locks the owner out")
        return
    for part in text.split(","):
        found = re.fullmatch(r"([ugoa]*)([+=-])([rwxXst]*)", part)
        if not found:
            continue
        who, how, what = found[1] or "u", found[2], found[3]
        owner, everybody = bool({"u", "a"} & set(who)), bool({"o", "a"} & set(who))
        if how in "+=" and "s" in what:
            findings.destroy("mode.setuid", f"mode {part} runs with another user's rights")
        elif how in "+=" and "w" in what and everybody:
            findings.destroy("mode.world", f"mode {part} lets everybody write")
        elif owner and ((how == "-" and "r" in what) or (how == "=" and not what)):
            findings.destroy("mode.locked", f"mode {part} locks the owner out")


def chmod(shell: ShellJudge, arguments: Sequence[Word]) -> None:
    """chmod: the mode word, which is the first that is not an option."""
    for word in arguments:
        if not re.fullmatch(r"-[Rcfv]+|--[a-z-]+", word.text):
            mode(word.text, shell.findings)
            return


def install_mode(shell: ShellJudge, arguments: Sequence[Word]) -> None:
    """install and mkdir take a mode with -m."""
    for place, word in enumerate(arguments):
        if word.text in ("-m", "--mode") and place + 1 < len(arguments):
            mode(arguments[place + 1].text, shell.findings)
        elif re.fullmatch(r"(-m|--mode=)[0-7]+", word.text):
            mode(re.sub(r"^(-m|--mode=)", "", word.text), shell.findings)


def moved_away(shell: ShellJudge, name: str, sources: Sequence[Word], target: Word) -> None:
    """mv of the workspace's files to where they are lost."""
    if name != "mv" or target.dynamic:
        return
    where = Where(target.text, shell.cwd)
    inside = any(word.dynamic or Where(word.text, shell.cwd).relative is not None for word in sources)
    if where.scratch and inside:
        shell.findings.destroy("shell.mv", f"mv takes files out of the workspace, to {target.text}")
        return
    many = any(word.dynamic or re.search(r"[*?]", word.text) for word in sources)
    folder = target.text.endswith("/") or (where.relative and shell.facts.kind(where.relative) == "dir")
    if where.relative is not None and many and not folder:
        shell.findings.destroy("shell.mv", f"every file moved to {target.text} replaces the one before")


def empties(shell: ShellJudge, arguments: Sequence[Word], files: Sequence[Word]) -> None:
    """sed -i whose script removes every line."""
    scripts = [word.text.strip() for word in arguments if not word.text.startswith("-")][:1]
    scripts += [b.text.strip() for a, b in pairwise(arguments) if a.text in ("-e", "--expression")]
    if any(re.fullmatch(r"(1,\$|/\.\*/|/\^/|/\./|0,\$|s/\.\*//g?)?\s*d?", s) and s for s in scripts) and files:
        shell.findings.destroy("shell.sed", f"sed -i removes every line of {files[0].text}")


def link(shell: ShellJudge, sources: Sequence[Word], target: Word) -> None:
    """ln: a link that leads out of the workspace makes paths through it lead out too."""
    spot = Where(target.text, shell.cwd)
    folder = posixpath.dirname(spot.relative or "") if spot.relative != "." else "."
    if spot.relative is not None and shell.facts.kind(spot.relative) == "dir":
        folder = spot.relative
    for word in sources:
        where = Where(word.text, folder)
        if word.dynamic or (not word.text.startswith(("/", "~")) and ".." not in word.text.split("/")):
            continue
        if where.relative is None and not re.match(r"/(usr|bin|lib|opt|tmp)(/|$)", where.path):
            if not where.readable:
                shell.findings.deny("path.outside", f"the link would lead to {word.text}")
            shell.findings.destroy("path.link", f"the link would lead out of the workspace, to {word.text}")
