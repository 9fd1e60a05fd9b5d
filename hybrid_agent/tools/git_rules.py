"""Which git commands look, which change, and which throw work away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
    why = _throws_away(command, texts)
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
        case "filter-branch" | "filter-repo":
            return "rewrites history"
        case "reflog" if names[:1] in (["expire"], ["delete"]):
            return "removes the way back"
        case "gc" if "--prune" in flags:
            return "--prune removes the way back"
        case "update-ref" if flags & {"-d"}:
            return "-d removes a reference"
        case "worktree" if names[:1] == ["remove"]:
            return "remove removes a folder"
    return None
