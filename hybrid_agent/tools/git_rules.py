"""Which git commands look, which change, and which throw work away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hybrid_agent.tools import network_rules
from hybrid_agent.tools.shell_parse import Word

if TYPE_CHECKING:
    from hybrid_agent.tools.shell_rules import ShellJudge

_LOOKING = frozenset(
    ("status", "log", "diff", "show", "rev-parse", "ls-files", "ls-tree", "blame", "describe", "shortlog", "reflog",
     "cat-file", "rev-list", "grep", "name-rev", "merge-base", "for-each-ref", "show-ref", "whatchanged", "version",
     "help", "check-ignore", "count-objects", "var", "diff-tree", "cherry", "range-diff", "--version", "--help")
)  # fmt: skip
_RUNS = re.compile(
    r"^(alias\..*|core\.(pager|editor|sshcommand|fsmonitor|hookspath)|.*\.textconv|diff\.external)=", re.I
)


def judge(shell: ShellJudge, arguments: list[Word]) -> None:
    """Judge a git command line."""
    rest = list(arguments)
    while rest and rest[0].text.startswith("-") and rest[0].text not in ("--version", "--help"):
        option = rest.pop(0).text
        if option in ("-C", "-c", "--git-dir", "--work-tree", "--namespace") and rest:
            value = rest.pop(0)
            if option == "-c":
                if _RUNS.match(value.text):
                    shell.findings.destroy("git.config", f"git -c {value.text} runs another program")
            else:
                shell.writes(value, "git works in")
    if not rest:
        return
    command, words = rest[0].text, rest[1:]
    texts = [word.text for word in words]
    if command in ("clone", "fetch", "pull", "push", "ls-remote", "archive", "submodule") and any(
        network_rules.address(text) or (("@" in text or command == "clone") and network_rules.remote_path(text))
        for text in texts
        if not text.startswith("-")
    ):
        shell.findings.deny("network", network_rules.WHY)
    why = _throws_away(command, texts) or _stays(command, texts)
    if why:
        shell.findings.destroy(f"git.{command}", f"git {command} {why}")
    elif not _looks(command, texts):
        shell.findings.change()


def _looks(command: str, texts: list[str]) -> bool:
    if command in _LOOKING:
        return not any(text.startswith(("--output", "--ext-diff")) for text in texts)
    names = [text for text in texts if not text.startswith("-")]
    if command in ("branch", "tag", "remote"):
        return not names or bool({"-l", "--list", "--contains", "-v", "get-url", "show"} & set(texts))
    if command == "config":
        return bool({"--get", "--list", "-l", "--get-all"} & set(texts)) or len(names) == 1
    if command in ("stash", "worktree", "bisect", "notes", "submodule"):
        return names[:1] in (["list"], ["show"], ["log"], ["status"])
    return False


def _stays(command: str, texts: list[str]) -> str | None:
    """Settings and files that act later, or in the open."""
    names = [text for text in texts if not text.startswith("-")]
    if command == "config" and not {"--get", "--list", "-l", "--get-all"} & set(texts):
        if {"--global", "--system"} & set(texts) and len(names) > 1:
            return "--global changes the settings of every repository"
        if (len(names) > 1 and _RUNS.match(f"{names[0]}=")) or any(text.startswith("!") for text in names[1:]):
            return "sets a program that git runs later"
        if names[:1] and names[0].lower() in (
            "credential.helper",
            "http.sslverify",
            "http.proxy",
            "receive.denynonfastforwards",
        ):
            return f"{names[0]} weakens what protects the repository"
    if command == "remote" and names[:1] in (["set-url"], ["remove"], ["rm"]):
        return f"{names[0]} changes where work is sent"
    if command == "add" and any(
        re.search(r"(^|/)(\.env(\.\w+)?|id_\w+|[\w.-]*\.(pem|key|p12))$", name) for name in names
    ):
        return "of secrets puts them into the history"
    return None


def _throws_away(command: str, texts: list[str]) -> str | None:
    flags = {"-" + letter for text in texts if re.fullmatch(r"-[a-zA-Z]+", text) for letter in text[1:]}
    flags |= {text.split("=", 1)[0] for text in texts if text.startswith("--")}
    names = [text for text in texts if not text.startswith("-")]
    match command:
        case "reset" if flags & {"--hard", "--merge", "--keep"}:
            return "--hard throws changes away"
        case "clean" if flags & {"-f", "--force"} and not flags & {"-n", "--dry-run"}:
            return "-f removes untracked files"
        case "push" if flags & {"-f", "--force", "--force-with-lease", "-d", "--delete", "--mirror", "--prune"} or any(
            name.startswith((":", "+")) for name in names
        ):
            return "--force rewrites the other side"
        case "checkout" if (
            flags & {"-f", "--force"} or "--" in texts or "." in names or any("/" in n or "." in n for n in names[1:])
        ):
            return "of files throws their changes away"
        case "switch" if flags & {"-f", "--force", "--discard-changes"}:
            return "-f throws changes away"
        case "restore" if ("--staged" not in flags and "-S" not in flags) or flags & {"--worktree", "-W"}:
            return "throws changes of files away"
        case "branch" if flags & {"-D"} or (flags & {"-d", "--delete"} and flags & {"-f", "--force"}):
            return "-D removes a branch that may not be merged"
        case "tag" if flags & {"-d", "--delete"}:
            return "-d removes a tag"
        case "stash" if names[:1] in (["drop"], ["clear"]):
            return "drops saved changes"
        case "rm" if "--cached" not in flags:
            return "removes files"
        case "filter-branch" | "filter-repo" | "rebase" | "replace" | "fast-import" | "read-tree":
            return None if flags & {"--abort", "--continue", "--skip", "--show-current-patch"} else "rewrites history"
        case "commit" if "--amend" in flags:
            return "--amend rewrites the last commit"
        case "reset" if any(re.search(r"[~^]|^[0-9a-f]{7,40}$", name) for name in names[:1]) and "--" not in texts:
            return "to an earlier commit rewrites history"
        case "checkout" | "switch" if flags & {"-B", "-C"}:
            return "-B moves a branch"
        case "branch" if flags & {"-f", "--force", "-M"}:
            return "-f moves a branch"
        case "update-ref" | "symbolic-ref" if len(names) > 1:
            return "moves a branch"
        case "submodule" if names[:1] == ["deinit"]:
            return "deinit removes a folder"
        case "reflog" if names[:1] in (["expire"], ["delete"]):
            return "removes the way back"
        case "gc" if "--prune" in flags:
            return "--prune removes the way back"
        case "update-ref" if flags & {"-d"}:
            return "-d removes a reference"
        case "worktree" if names[:1] == ["remove"]:
            return "remove removes a folder"
    return None
