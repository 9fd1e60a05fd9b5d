"""INI and .env files, edited line by line so that comments, order and spacing stay."""

from __future__ import annotations

import re

from hybrid_agent.tools.failure import ToolFailure

_SECTION = re.compile(r"^\s*\[(?P<name>[^\]]+)\]\s*([#;].*)?$")
_PAIR = re.compile(
    r"^(?P<lead>\s*(?:export\s+)?)(?P<key>[^\s=:#;\[][^=:]*?)(?P<mid>\s*[=:]\s*)(?P<value>.*?)(?P<tail>\s*)$"
)
_ENV_PAIR = re.compile(
    r"^(?P<lead>\s*(?:export\s+)?)(?P<key>[A-Za-z_][\w.-]*)(?P<mid>\s*=\s*)(?P<value>.*?)(?P<tail>\s*)$"
)


def set_value(text: str, key: str, value: str, *, env: bool) -> str:
    """The text with `key` set; a missing key goes to the end of its section, a missing section to the end."""
    if "\n" in value or "\r" in value:
        raise ToolFailure("a value must be on one line")
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if "\r\n" in text else "\n"
    section, name = _split(lines, key, env=env)
    places = _places(lines, section, name, env=env)
    if places:
        place = places[-1]  # the last one is the one that counts
        found = _pair(lines[place], env)
        assert found is not None
        kept, comment = _value_and_comment(found["value"])
        ending = lines[place][len(lines[place].rstrip("\r\n")) :]
        shown = _quote_like(kept, value) if env else value
        lines[place] = f"{found['lead']}{found['key']}{found['mid']}{shown}{comment}{ending or newline}"
        return "".join(lines)
    shown = _quote_like("", value) if env else value
    line = f"{name}{_separator(lines, env)}{shown}{newline}"
    at = _section_end(lines, section)
    if at is None:
        gap = newline if lines and lines[-1].strip() else ""
        lines.append(f"{gap}[{section}]{newline}")
        at = len(lines)
    if at > 0 and not lines[at - 1].endswith("\n"):
        lines[at - 1] += newline
    lines.insert(at, line)
    return "".join(lines)


def unset_value(text: str, key: str, *, env: bool) -> str:
    """The text without `key`, which must exist."""
    lines = text.splitlines(keepends=True)
    section, name = _split(lines, key, env=env)
    places = _places(lines, section, name, env=env)
    if not places:
        raise ToolFailure(f"{key}: no such key")
    drop: set[int] = set()
    for place in places:
        drop.add(place)
        following = place + 1  # continuation lines belong to the value
        while not env and following < len(lines) and lines[following][:1] in (" ", "\t") and lines[following].strip():
            drop.add(following)
            following += 1
    return "".join(line for place, line in enumerate(lines) if place not in drop)


def _pair(line: str, env: bool) -> re.Match[str] | None:
    return (_ENV_PAIR if env else _PAIR).match(line.rstrip("\r\n"))


def _sections(lines: list[str]) -> list[str]:
    return [found["name"].strip() for line in lines if (found := _SECTION.match(line.rstrip("\r\n")))]


def _split(lines: list[str], key: str, *, env: bool) -> tuple[str, str]:
    """Section and name of a dotted key: the longest section that exists wins; without sections the key is flat."""
    if env:
        return "", key
    known = _sections(lines)
    for section in sorted(known, key=len, reverse=True):
        if key.startswith(section + ".") and len(key) > len(section) + 1:
            return section, key[len(section) + 1 :]
    if (
        "." not in key
        or _places(lines, "", key, env=False)
        or (not known and any(_pair(line, False) for line in lines))
    ):
        return "", key
    section, name = key.split(".", 1)
    if not section or not name:
        raise ToolFailure(f"{key}: is not section.key")
    return section, name


def _places(lines: list[str], section: str, name: str, *, env: bool) -> list[int]:
    exact: list[int] = []
    folded: list[int] = []
    at = ""
    for place, line in enumerate(lines):
        header = None if env else _SECTION.match(line.rstrip("\r\n"))
        if header:
            at = header["name"].strip()
            continue
        if at != section or line.lstrip().startswith(("#", ";")):
            continue
        if not env and line[:1] in (" ", "\t") and place and lines[place - 1].strip():
            continue  # a continuation of the value above
        found = _pair(line, env)
        if found is None:
            continue
        if found["key"].strip() == name:
            exact.append(place)
        elif not env and found["key"].strip().lower() == name.lower():
            folded.append(place)
    return exact or folded


def _section_end(lines: list[str], section: str) -> int | None:
    """Where a new line of the section goes: after its last line that is not blank."""
    at = 0 if section == "" else None
    inside = section == ""
    for place, line in enumerate(lines):
        header = _SECTION.match(line.rstrip("\r\n"))
        if header:
            inside = header["name"].strip() == section
            if inside:
                at = place + 1
        elif inside and line.strip():
            at = place + 1
    return at


def _separator(lines: list[str], env: bool) -> str:
    for line in lines:
        found = None if line.lstrip().startswith(("#", ";")) else _pair(line, env)
        if found:
            return (
                found["mid"]
                if found["mid"].strip() and found["value"]
                else found["mid"].rstrip() + " " * (0 if env or not found["mid"].startswith(" ") else 1)
            )
    return "=" if env else " = "


def _value_and_comment(value: str) -> tuple[str, str]:
    found = re.match(r"^(\"[^\"]*\"|'[^']*'|.*?)(\s+[#;].*)?$", value)
    return (found[1], found[2] or "") if found else (value, "")


def _quote_like(present: str, value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value
    if len(present) >= 2 and present[0] == present[-1] and present[0] in "\"'":
        mark = present[0]
        if mark not in value:
            return f"{mark}{value}{mark}"
    if re.search(r"[\s#\"'$&;|<>()`\\]", value):
        if '"' in value or "$" in value or "`" in value or "\\" in value:
            return "'" + value + "'" if "'" not in value else '"' + re.sub(r'(["$`\\])', r"\\\1", value) + '"'
        return f'"{value}"'
    return value
