"""Values of structured files at dotted keys, as text. Runs inside the sandbox: standard library only, and ruamel.yaml
from the read-only bind when a YAML file is asked about."""

import configparser
import json
import re
import shlex
import sys
import tomllib
from typing import Any

YAML_FOLDER = "/opt/checks"
MISSING = object()
_SUFFIXES = {"json": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml", "env": "env"}
_INI = ("ini", "cfg", "conf", "properties", "service")


def lookup(path: str, text: str, key: str) -> Any:
    """The value at `key`, or MISSING. Raises ValueError when the file is not valid."""
    kind = format_of(path, text)
    if kind == "env":
        return _env(text).get(key, MISSING)
    if kind == "ini":
        return _ini(text, key)
    return dig(_load(kind, text), key)


def format_of(path: str, text: str) -> str:
    """json, yaml, toml, ini or env, by name and else by text."""
    base = path.rsplit("/", 1)[-1].lower()
    if base == ".env" or base.startswith(".env."):
        return "env"
    suffix = base.rsplit(".", 1)[-1] if "." in base else ""
    if suffix in _INI:
        return "ini"
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if text.lstrip().startswith(("{", "[")):
        try:
            json.loads(text)
            return "json"
        except ValueError:
            pass
    lines = [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] not in "#;"]
    if any(re.fullmatch(r"\[[^\[\]]+\]", line) for line in lines):
        return "ini"
    if lines and all(re.match(r"(export\s+)?[A-Za-z_]\w*=", line) for line in lines):
        return "env"
    return "yaml"


def dig(node: Any, key: str) -> Any:
    """Walk a tree by dotted key. Names that hold dots themselves are tried longest first; lists take numbers."""
    if isinstance(node, list):
        head, _, rest = key.partition(".")
        if not re.fullmatch(r"-?\d+", head) or not -len(node) <= int(head) < len(node):
            return MISSING
        return dig(node[int(head)], rest) if rest else node[int(head)]
    if not isinstance(node, dict):
        return MISSING
    named = {as_text(name): value for name, value in node.items()}
    if key in named:
        return named[key]
    parts = key.split(".")
    for count in range(len(parts) - 1, 0, -1):
        head = ".".join(parts[:count])
        if head in named:
            found = dig(named[head], ".".join(parts[count:]))
            if found is not MISSING:
                return found
    return MISSING


def as_text(value: Any) -> str:
    """A value as people write it: true, 8080, null, text, and compact JSON for groups."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def equal(value: Any, wanted: str) -> bool:
    """Compare as text; numbers also by value ("1.50" is 1.5), null also with nothing."""
    text = as_text(value)
    if text == wanted or (isinstance(value, bool) and text == wanted.lower()) or (value is None and wanted == ""):
        return True
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(wanted) == float(value)
        except ValueError:
            return False
    if isinstance(value, dict | list):
        try:
            return bool(json.loads(wanted) == value)
        except ValueError:
            return False
    return False


def _load(kind: str, text: str) -> Any:
    if kind == "json":
        return json.loads(text)
    if kind == "toml":
        return tomllib.loads(text)
    if YAML_FOLDER not in sys.path:
        sys.path.insert(0, YAML_FOLDER)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        return yaml.load(text)
    except YAMLError as error:
        raise ValueError(" ".join(str(error).split())[:120]) from None


def _ini(text: str, key: str) -> Any:
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, allow_no_value=True, inline_comment_prefixes=("#", ";"), default_section="\0"
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    flat = "\1"
    try:
        parser.read_string(f"[{flat}]\n{text}")
    except configparser.Error as error:
        raise ValueError(" ".join(str(error).split())[:120]) from None
    for section in sorted(parser.sections(), key=len, reverse=True):
        prefix = "" if section == flat else section + "."
        if not key.startswith(prefix):
            continue
        name = key[len(prefix) :]
        options = dict(parser.items(section))
        folded = {option.lower(): value for option, value in options.items()}
        found = options.get(name, folded.get(name.lower(), MISSING))
        if found is not MISSING:
            return found
    return MISSING


def _env(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in text.splitlines():
        found = re.match(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*?)\s*$", line)
        if not found:
            continue
        raw = found[2]
        try:
            parts = shlex.split(raw, comments=True)
        except ValueError:
            parts = [raw]
        values[found[1]] = parts[0] if len(parts) == 1 else ("" if not parts else raw)
    return values
