"""What single commands do with their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hybrid_agent.tools import command_rules, content_rules, git_rules, network_rules, resource_rules
from hybrid_agent.tools.findings import Where
from hybrid_agent.tools.shell_parse import Word
from hybrid_agent.tools.shell_tables import PATTERN_FIRST, REMOVES, ROOTS, TEXT_ONLY, WRITES_ALL, WRITES_LAST

if TYPE_CHECKING:
    from hybrid_agent.tools.shell_rules import ShellJudge

Judge = Callable[["ShellJudge", list[Word], bool], None]


def judge(shell: ShellJudge, name: str, arguments: list[Word], *, more: bool = False) -> None:
    """Judge one command by name; `more`: a pipe adds arguments."""
    if [word.text for word in arguments] in (["--help"], ["--version"]):
        return
    own = _OWN.get(name)
    if own is not None:
        own(shell, arguments, more)
    if name in command_rules.NAMES:
        command_rules.judge(shell, name, arguments)
    elif name in network_rules.CLIENTS or name in network_rules.INSTALLERS:
        network_rules.client(shell, name, arguments)
    if name in ("dd", "fallocate", "truncate", "head", "mkfile", "seq"):
        resource_rules.sizes(shell, name, arguments)
    if name in REMOVES:
        _remove(shell, name, arguments, more)
    if name in TEXT_ONLY:
        return
    _paths(shell, name, arguments)


def options(arguments: Sequence[Word]) -> tuple[set[str], list[Word]]:
    """Single letters and long names of the options, and the other words."""
    found: set[str] = set()
    rest: list[Word] = []
    only = False
    for word in arguments:
        text = word.text
        if only or not text.startswith("-") or text == "-":
            rest.append(word)
        elif text == "--":
            only = True
        elif text.startswith("--"):
            found.add(text.split("=", 1)[0])
        else:
            found |= {"-" + letter for letter in text[1:]}
    return found, rest


# --- paths in general


def _paths(shell: ShellJudge, name: str, arguments: list[Word]) -> None:
    flags, rest = options(arguments)
    if name in PATTERN_FIRST and not flags & {"-e", "-f", "--regexp", "--file"}:
        rest = rest[1:]
    if name in WRITES_ALL:
        if name in ("chmod", "chown", "chgrp", "setfacl"):
            rest = rest[1:]
        if name == "mkdir":
            command_rules.install_mode(shell, arguments)
        for word in rest:
            shell.writes(word, f"{name} changes")
    elif name in WRITES_LAST and rest:
        for word in rest[:-1]:
            if name != "ln":
                shell.reads(word)
        if name == "ln":
            command_rules.link(shell, rest[:-1] or rest, rest[-1])
        elif name == "install":
            command_rules.install_mode(shell, arguments)
        shell.writes(rest[-1], f"{name} writes to")
    else:
        for word in rest:
            _maybe_path(shell, word)


def _maybe_path(shell: ShellJudge, word: Word) -> None:
    """Only words that can be meant as a path: into a folder of the system, or climbing out."""
    text = word.text
    climbs = ".." in text.split("/") and " " not in text
    rooted = text.startswith("/") and text.split("/")[1] in ROOTS and not re.search(r"[{}()\\^$|]", text)
    if climbs or rooted or re.match(r"~(/|$)", text):
        shell.reads(word)


# --- removal and overwriting


def _remove(shell: ShellJudge, name: str, arguments: list[Word], more: bool) -> None:
    _, rest = options(arguments)
    for word in rest:
        where = Where(word.text, shell.cwd)
        root = re.fullmatch(r"/+(\*|\.\*|\{.*\})?|\$.*/\*", word.text)
        if root or (where.relative is None and not where.scratch and not word.text.startswith("$")):
            shell.findings.deny("path.outside", f"{name} {word.text} reaches outside the workspace")
            return
    if rest and all(Where(word.text, shell.cwd).scratch for word in rest) and not more:
        return
    what = " ".join(word.text for word in rest[:3]) or "what a pipe gives it"
    shell.findings.destroy(f"shell.{name}", f"{name} removes {what}")


def _overwrite(shell: ShellJudge, name: str, arguments: list[Word]) -> None:
    """mv, cp, install, ln: does a file disappear under the new one?"""
    flags, rest = options(arguments)
    if flags & {"-n", "--no-clobber", "-b", "--backup", "-u", "--update"}:
        return
    target_option = next((a.text for a in arguments if a.text.startswith("--target-directory=")), None)
    if target_option or "-t" in flags or len(rest) < 2 or rest[-1].dynamic:
        if flags & {"-f", "--force"} and name == "mv":
            shell.findings.destroy(f"shell.{name}", f"{name} -f replaces what is in its way")
        return
    command_rules.moved_away(shell, name, rest[:-1], rest[-1])
    where = Where(rest[-1].text, shell.cwd)
    if where.relative is None:
        return
    if shell.facts.kind(where.relative) == "dir":
        names = [word.text.rstrip("/").rsplit("/", 1)[-1] for word in rest[:-1] if not word.dynamic]
        targets = [f"{where.relative}/{last}" for last in names]
    else:
        targets = [where.relative]
    if name == "ln" and not flags & {"-f", "--force"}:
        return
    for target in targets:
        if shell.facts.precious(target.removeprefix("./")):
            shell.findings.destroy(f"shell.{name}", f"{name} replaces {target.removeprefix('./')}")
            return


def _clobbers(name: str) -> Judge:
    def run(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
        _overwrite(shell, name, arguments)

    return run


def _tee(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    flags, rest = options(arguments)
    if not flags & {"-a", "--append"}:
        for word in rest:
            shell.redirect(">", word)


def _truncate(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    _, rest = options(arguments)
    for word in rest:
        where = Where(word.text, shell.cwd)
        if word.dynamic or (where.relative is not None and shell.facts.precious(where.relative)):
            shell.findings.destroy("shell.truncate", f"truncate cuts {word.text}")


def _dd(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    for word in arguments:
        key, _, value = word.text.partition("=")
        if key == "of" and value.startswith("/dev/") and value not in ("/dev/null", "/dev/stdout"):
            shell.findings.deny("hazard.disk", f"dd writes to {value}")
        elif key == "of":
            shell.redirect(">", Word(value, word.dynamic))
        elif key == "if":
            shell.reads(Word(value, word.dynamic))


def _sed(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    flags, rest = options(arguments)
    inplace = any(re.match(r"-[nErsuz]*i|--in-place", word.text) for word in arguments)
    scripts = " ".join(word.text for word in arguments)
    if inplace or re.search(r"(^|[\s;/}\d$])[wW]\s+\S", scripts) or re.search(r"/[gip\d]*e\b", scripts):
        shell.findings.change()
    if inplace:
        files = rest if flags & {"-e", "-f"} else rest[1:]
        for word in files:
            if shell.writes(word, "sed -i changes") and content_rules.is_test(Where(word.text, shell.cwd).path[1:]):
                shell.findings.destroy("tests.weaken", f"sed -i changes {word.text}, which judges the work")
        command_rules.empties(shell, arguments, files)


def _awk(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    text = " ".join(word.text for word in arguments)
    if re.search(r">|system|\||getline|-i\s*inplace|-f", text) or any(word.dynamic for word in arguments[:1]):
        shell.findings.change()
    for found in re.findall(r'system\s*\(\s*"((?:\\.|[^"\\])*)"', text):
        shell._nested([found.replace('\\"', '"')])


def _sort(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    for place, word in enumerate(arguments):
        if word.text in ("-o", "--output") and place + 1 < len(arguments):
            shell.writes(arguments[place + 1], "sort writes to")
        elif word.text.startswith(("--output=", "-o")):
            shell.writes(Word(re.sub(r"^(--output=|-o)", "", word.text), word.dynamic), "sort writes to")


def _second_is_output(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    flags, rest = options(arguments)
    if len(rest) > 1:
        shell.redirect(">", rest[1])
    elif flags & {"-r"} and len(rest) > 1:
        shell.findings.change()


def _find(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    starts: list[Word] = []
    for word in arguments:
        if word.text.startswith(("-", "(", "!")) and word.text not in ("-L", "-P", "-H"):
            break
        if not word.text.startswith("-"):
            starts.append(word)
    outside = [word for word in starts if not word.dynamic and not Where(word.text, shell.cwd).writable]
    place = 0
    while place < len(arguments):
        text = arguments[place].text
        if text == "-delete":
            if outside:
                shell.findings.deny("path.outside", f"find -delete in {outside[0].text}")
            shell.findings.destroy("shell.find", "find -delete removes what it finds")
        elif text in ("-fprint", "-fprintf", "-fls", "-fprint0") and place + 1 < len(arguments):
            shell.redirect(">", arguments[place + 1])
        elif text in ("-exec", "-execdir", "-ok", "-okdir"):
            end = next(
                (i for i in range(place + 1, len(arguments)) if arguments[i].text in (";", "+", "\\;")), len(arguments)
            )
            inner = [Word(word.text, word.dynamic or "{}" in word.text) for word in arguments[place + 1 : end]]
            if inner:
                before = shell.findings.destroys
                shell.words([Word(w.text.replace("{}", "$found"), w.dynamic) for w in inner])
                if outside and shell.findings.destroys is not before:
                    shell.findings.deny("path.outside", f"find -exec in {outside[0].text}")
            place = end
        place += 1


def _kill(name: str) -> Judge:
    def run(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
        texts = [word.text for word in arguments]
        if name == "kill":
            if texts[:1] in (["-l"], ["-L"], ["-0"]) and "-1" not in texts[1:]:
                return
            signal_taken = texts[:1] if texts and re.fullmatch(r"-\w+", texts[0]) and len(texts) > 1 else []
            targets = [text for text in texts[len(signal_taken) :] if text not in ("--", "-s", "-n")]
            if targets and all(text in shell.jobs or re.fullmatch(r"%\w+", text) for text in targets):
                return  # what the script started itself
            if any(text in ("-1", "1", "0") for text in targets):
                shell.findings.deny("process.all", "kill would reach every process")
                return
        shell.findings.destroy(f"shell.{name}", f"{name} ends processes")

    return run


def _owner(name: str) -> Judge:
    def run(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
        _, rest = options(arguments)
        for word in rest[1:]:
            if not word.dynamic and not Where(word.text, shell.cwd).writable:
                shell.findings.deny("path.outside", f"{name} {word.text} reaches outside the workspace")
        if name == "chmod":
            command_rules.chmod(shell, arguments)

    return run


def _tar(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    texts = [word.text for word in arguments]
    mode = texts[0].lstrip("-") if texts and not texts[0].startswith("--") else ""
    listing = ("t" in mode and not set(mode) & set("xcruA")) or "--list" in texts
    if not listing:
        shell.findings.change()
    for place, text in enumerate(texts):
        if text in ("-C", "--directory") and place + 1 < len(texts):
            shell.writes(arguments[place + 1], "tar works in")
        elif text.startswith(("--to-command", "--checkpoint-action", "--use-compress-program", "-I")):
            shell.findings.destroy("shell.tar", f"tar {text} runs another program")
        elif text.startswith(("-C/", "--directory=")):
            shell.writes(Word(text.removeprefix("-C").removeprefix("--directory=")), "tar works in")
        elif text in ("-P", "--absolute-names") or (place == 0 and "P" in mode and not text.startswith("--")):
            shell.findings.deny("path.outside", "tar -P writes to absolute paths")
        elif text == "--remove-files":
            shell.findings.destroy("shell.tar", "tar --remove-files removes what it packs")


def _cpio(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    for place, word in enumerate(arguments):
        if word.text in ("-D", "--directory") and place + 1 < len(arguments):
            shell.writes(arguments[place + 1], "cpio works in")


def _unzip(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    flags, _ = options(arguments)
    if not flags & {"-l", "-t", "-v", "-Z", "-p"}:
        shell.findings.change()
    for place, word in enumerate(arguments):
        if word.text == "-d" and place + 1 < len(arguments):
            shell.writes(arguments[place + 1], "unzip writes to")


def _zip(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    flags, _ = options(arguments)
    if flags & {"-m", "-d", "--move", "--delete"}:
        shell.findings.destroy("shell.zip", "zip -m and -d remove files")


def _program(words: str) -> Judge:
    """Other languages: not read, only looked at for calls that remove or run things."""
    pattern = re.compile(words)

    def run(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
        if any(re.fullmatch(r"-[a-zA-Z]*i(\.\w+)?", word.text) for word in arguments):
            for word in arguments:
                if content_rules.is_test(Where(word.text, shell.cwd).path[1:]):
                    shell.findings.destroy("tests.weaken", f"changes {word.text}, which judges the work")
        for place, word in enumerate(arguments):
            if re.fullmatch(r"-[a-zA-Z]*[eE]", word.text) and place + 1 < len(arguments):
                code = arguments[place + 1]
                if code.dynamic or pattern.search(code.text):
                    shell.findings.destroy("shell.program", "the program may remove files or run commands")

    return run


def _git(shell: ShellJudge, arguments: list[Word], more: bool) -> None:
    git_rules.judge(shell, arguments)


_OWN: dict[str, Judge] = {
    "mv": _clobbers("mv"),
    "cp": _clobbers("cp"),
    "install": _clobbers("install"),
    "ln": _clobbers("ln"),
    "tee": _tee,
    "truncate": _truncate,
    "dd": _dd,
    "sed": _sed,
    "awk": _awk,
    "mawk": _awk,
    "gawk": _awk,
    "sort": _sort,
    "uniq": _second_is_output,
    "xxd": _second_is_output,
    "find": _find,
    "kill": _kill("kill"),
    "pkill": _kill("pkill"),
    "killall": _kill("killall"),
    "chmod": _owner("chmod"),
    "chown": _owner("chown"),
    "chgrp": _owner("chgrp"),
    "tar": _tar,
    "bsdtar": _tar,
    "cpio": _cpio,
    "unzip": _unzip,
    "zip": _zip,
    "rsync": network_rules.rsync,
    "openssl": network_rules.openssl,
    "perl": _program(r"unlink|rmtree|rmdir|system|exec|`|qx|fork|open|eval|pack"),
    "ruby": _program(r"delete|rm_|unlink|system|exec|`"),
    "node": _program(r"unlink|rmSync|rmdir|child_process"),
    "git": _git,
}
