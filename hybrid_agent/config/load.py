"""Configs: Hydra composes the YAML files, a frozen pydantic schema decides. No DictConfig leaves this file.

`load_config("eval", ["suite=os", "limit=20"], EvalConfig)` reads `configs/eval.yaml`, takes group files such as
`configs/suite/os.yaml` into it, applies the overrides and validates the result.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hybrid_agent.config.explain import explain, keys_at, nearest, untagged
from hybrid_agent.errors import InputError

S = TypeVar("S", bound=BaseModel)

OVERRIDE = re.compile(r"^(\+\+|\+|~)?([A-Za-z_][\w@./-]*)(=.*)?$", re.DOTALL)


def config_root(config_dir: Path | str | None = None) -> Path:
    """The folder of YAML files: the argument, $HYBRID_AGENT_CONFIGS, ./configs, or that of the source checkout.

    Raises:
        InputError: there is no such folder.
    """
    named = config_dir or os.environ.get("HYBRID_AGENT_CONFIGS")
    checkout = Path(__file__).resolve().parents[2] / "configs"
    candidates = [Path(named)] if named else [checkout, Path.cwd() / "configs"]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate.resolve()
    raise InputError(
        f"no folder of configs at {candidates[0]}",
        fix="run from the source checkout, or set HYBRID_AGENT_CONFIGS to its configs folder",
    )


def load_config(name: str, overrides: Sequence[str], schema: type[S], config_dir: Path | str | None = None) -> S:
    """Compose `<config_dir>/<name>.yaml` with `overrides` and validate it.

    Args:
        name: file name without `.yaml`.
        overrides: Hydra overrides as typed: `key=value`, `group=option`, `a.b=1`.
        schema: the frozen pydantic model that decides what is valid.
        config_dir: folder of the YAML files; see `config_root` for the default.

    Raises:
        InputError: names the file or override, the field and the nearest valid key.
    """
    root = config_root(config_dir)
    primary = root / f"{name}.yaml"
    if not primary.is_file():
        options = sorted(path.stem for path in root.glob("*.yaml"))
        close = nearest(name, options)
        raise InputError(
            f"no config named {name!r} in {root}",
            fix=f"did you mean {close!r}?" if close else "use one of " + (", ".join(options) or "(none there)"),
        )
    for override in overrides:
        _check_override(override, schema, root)
    values, files = _compose(root, name, list(overrides), schema)
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        loc = untagged(schema, error.errors(include_url=False)[0]["loc"])
        raise explain(error, schema, where=_origin(loc, list(overrides), files, primary)) from None


def all_keys(schema: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every dotted key that the schema knows."""
    for key, field in schema.model_fields.items():
        yield prefix + key
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from all_keys(field.annotation, f"{prefix}{key}.")


def _check_override(override: str, schema: type[BaseModel], root: Path) -> None:
    """Catch what Hydra reports badly: bad syntax, keys of Hydra itself, and keys that the schema does not know."""
    match = OVERRIDE.match(override)
    where = f"override {override!r}"
    if match is None or (match[3] is None and match[1] != "~"):
        raise InputError("not an override", where=where, fix="write key=value, for example limit=20")
    key = match[2]
    if key.split(".")[0].split("/")[0] == "hydra":
        raise InputError("settings of Hydra itself cannot be changed here", where=where, field=key, fix="remove it")
    group = key.split("@")[0]
    keys = set(all_keys(schema))
    known = key in keys or (root / group).is_dir() or _inside_mapping(key, schema)
    if not known:
        close = nearest(key, keys)
        fix = f"did you mean {close!r}?" if close else "use one of " + ", ".join(sorted(schema.model_fields))
        raise InputError("unknown key", where=where, field=key, fix=fix)


def _inside_mapping(key: str, schema: type[BaseModel]) -> bool:
    """True if the key points below a field that is not a model itself (a dict or a list): the schema decides later."""
    head, *rest = key.split(".")
    field = schema.model_fields.get(head)
    if field is None or not rest:
        return field is not None
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return _inside_mapping(".".join(rest), field.annotation)
    return True


def _compose(root: Path, name: str, overrides: list[str], schema: type[BaseModel]) -> tuple[Any, list[Path]]:
    """Plain values, and the YAML files that they came from."""
    # Hydra is slow to import (0.2 s) and is wanted only by commands that read configs.
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError  # type: ignore[import-untyped]

    where = str(root / f"{name}.yaml")
    _parse(overrides, root)
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(root), version_base="1.3", job_name=name):
            composed = compose(config_name=name, overrides=overrides, return_hydra_config=True)
        choices = OmegaConf.to_container(composed.hydra.runtime.choices)
        config = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
        OmegaConf.set_readonly(config, True)
        values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError, TypeError, KeyError, OSError) as error:
        raise _explain_composition(error, where, root, overrides, schema) from None
    finally:
        GlobalHydra.instance().clear()
    files = [root / f"{name}.yaml"]
    assert isinstance(choices, dict)
    for group, option in choices.items():
        path = root / str(group).split("@")[0] / f"{option}.yaml"
        if not str(group).startswith("hydra/") and path.is_file():
            files.append(path)
    return values, files


def _parse(overrides: list[str], root: Path) -> None:
    """Parse each override by itself, so that an error can name it."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    for override in overrides:
        key = override.split("=")[0].lstrip("+~")
        try:
            parsed = parser.parse_override(override)
        except (HydraException, ValueError) as error:
            fix = "write key=value; put quotes around values with special characters: 'key=\"a,b\"'"
            raise InputError(str(error).splitlines()[0], where=f"override {override!r}", field=key, fix=fix) from None
        group = root / key.split("@")[0]
        if group.is_dir() and not parsed.is_delete() and not isinstance(parsed.value(), str):
            options = ", ".join(sorted(path.stem for path in group.glob("*.yaml")))
            raise InputError(
                "not the name of an option", where=f"override {override!r}", field=key, fix=f"use one of {options}"
            )


def _explain_composition(
    error: Exception, where: str, root: Path, overrides: list[str], schema: type[BaseModel]
) -> InputError:
    text = str(error).strip() or type(error).__name__
    first = text.splitlines()[0]
    missing = re.search(r"(?:Could not find|In '[^']*': Could not find) '([^']+)'", text)
    if missing:
        group, _, option = missing[1].rpartition("/")
        options = sorted(path.stem for path in (root / group).glob("*.yaml")) if group else []
        close = nearest(option, options)
        fix = (f"did you mean {close!r}? " if close else "") + "use one of " + (", ".join(options) or "(none there)")
        blamed = next((f"override {o!r}" for o in overrides if o.split("=")[0].split("@")[0] == group), where)
        return InputError(f"there is no {missing[1]}.yaml", where=blamed, field=group or None, fix=fix)
    blamed_override = next(
        (o for o in overrides if o in text or o.split("=")[0].lstrip("+~") in first.split("'")), None
    )
    full_key = re.search(r"full_key: (\S+)", text)
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        source = str(mark.name) if Path(str(mark.name)).is_file() else where
        problem = getattr(error, "problem", None) or first
        return InputError(f"not valid YAML: {problem}", where=f"{source}:{mark.line + 1}", fix="correct that line")
    file = re.search(r'in "([^"]+)"(?:, line (\d+))?', text)
    if file and Path(file[1]).is_file():
        where = file[1] + (f":{file[2]}" if file[2] else "")
    field = full_key[1] if full_key else None
    if blamed_override is not None:
        where, field = f"override {blamed_override!r}", blamed_override.split("=")[0].lstrip("+~")
    if "Missing mandatory value" in text:
        fix = f"give it a value: {field}=..."
    elif "nterpolation" in text:
        fix = "point the ${...} at a key that exists"
    else:
        fix = (
            "write key=value; quote values with special characters: 'key=\"a,b\"'" if overrides else "correct the file"
        )
    if field is None:
        field = nearest(first, schema.model_fields) if blamed_override else None
    return InputError(first, where=where, field=field, fix=fix)


def _origin(loc: tuple[int | str, ...], overrides: list[str], files: list[Path], primary: Path) -> str:
    """Where the offending key was most likely written: an override, a group file, or the primary file."""
    dotted = ".".join(str(part) for part in loc)
    for override in reversed(overrides):
        key = override.split("=")[0].lstrip("+~")
        if key == dotted or dotted.startswith(key + ".") or (key and key.startswith(dotted + ".")):
            group_file = next((f for f in files[1:] if f.parent.name == key), None)
            if group_file is None:
                return f"override {override!r}"
    names = [str(part) for part in loc if isinstance(part, str)]
    for path in reversed(files):
        text = path.read_text(encoding="utf-8", errors="replace")
        if names and re.search(rf"^\s*[\"']?{re.escape(names[-1])}[\"']?\s*:", text, re.MULTILINE):
            return str(path)
    group_file = next((f for f in files[1:] if names and f.parent.name == names[0]), None)
    return str(group_file or primary)


__all__ = ["all_keys", "config_root", "keys_at", "load_config"]
