"""Every shipped config loads, and every mistake in one is answered with file, field and fix."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML

from hybrid_agent.config.eval import EvalConfig
from hybrid_agent.config.explain import untagged
from hybrid_agent.config.load import config_root, load_config
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import InputError
from hybrid_agent.types import Task

ROOT = config_root()
PRIMARY = sorted(path.stem for path in ROOT.glob("*.yaml"))


def schema_of(name: str) -> type[BaseModel]:
    """By convention the schema of configs/NAME.yaml is SCHEMA in hybrid_agent/config/NAME.py."""
    schema = importlib.import_module(f"hybrid_agent.config.{name}").SCHEMA
    assert issubclass(schema, BaseModel)
    return schema


def group_files() -> list[tuple[str, list[str]]]:
    """(primary config, overrides) that bring in every YAML file in a sub-folder."""
    out = []
    for path in sorted(ROOT.glob("*/**/*.yaml")):
        group, option = path.parent.relative_to(ROOT).as_posix(), path.stem
        if group == "scale":  # STAGE-PROFILE.yaml comes with the two
            stage, _, profile = option.rpartition("-")
            out.append(("train", [f"stage={stage}", f"profile={profile}"]))
            continue
        if group == "deepspeed":  # lies inside a profile
            out.append(("train", ["profile=node4", f"deepspeed@profile.deepspeed={option}"]))
            continue
        users = [
            name
            for name in PRIMARY
            for entry in YAML(typ="safe").load(ROOT / f"{name}.yaml").get("defaults", [])
            if isinstance(entry, dict) and group in {str(k).removeprefix("optional ").split("@")[0] for k in entry}
        ]
        assert users, f"no primary config uses the group {group} ({path})"
        # What a person must say along with an option.
        pretrained = group == "model" and "kind: hf" in path.read_text()
        more = (["stage=sft_lora"] if pretrained else []) + (["model.path=somewhere"] if option == "hf" else [])
        out.append((users[0], [f"{group}={option}", *more]))
    return out


@pytest.mark.parametrize("name", PRIMARY)
def test_primary_config_loads(name: str) -> None:
    schema = schema_of(name)
    assert isinstance(load_config(name, [], schema), schema)


@pytest.mark.parametrize(("name", "overrides"), group_files())
def test_group_file_loads(name: str, overrides: list[str]) -> None:
    schema = schema_of(name)
    assert isinstance(load_config(name, overrides, schema), schema)


def test_a_file_of_a_larger_machine_is_taken_in() -> None:
    config = load_config("train", ["stage=sft_lora", "profile=node4", "model=seed_coder_8b"], TrainConfig)
    assert config.stage.optim.global_tokens >= 2_000_000 and config.profile.deepspeed is not None


def test_overrides_arrive_and_config_is_frozen() -> None:
    config = load_config("eval", ["suite=code", "limit=7", "split=val", "suite.pack=os"], EvalConfig)
    assert (config.suite.name, config.suite.pack, config.limit, config.split) == ("code", "os", 7, "val")
    with pytest.raises(ValidationError):
        config.limit = 8  # type: ignore[misc]


@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("limt=3", ["limt", "'limit'"]),
        ("limit=many", ["limit", "whole number"]),
        ("limit=0", ["limit", "greater than or equal to 1"]),
        ("suite=oss", ["suite", "'os'"]),
        ("suite.pak=os", ["suite.pak", "'suite.pack'"]),
        ("split=test_name", ["split", "'test_names'"]),
        ("sandbox=bubblewarp", ["sandbox", "'bubblewrap'"]),
        ("limit", ["limit", "key=value"]),
        ("limit=[1,", ["limit", "key=value"]),
        ("limit=1,2", ["limit"]),
        ("limit=${nothing}", ["limit", "nothing"]),
        ("hydra.run.dir=/", ["hydra.run.dir", "remove"]),
        ("=3", ["=3", "key=value"]),
        ("suite=null", ["suite"]),
        ("~suite", ["suite"]),
        ("+new=1", ["new"]),
    ],
)
def test_bad_override_is_named(override: str, names: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        load_config("eval", [override], EvalConfig)
    message = str(caught.value)
    assert caught.value.fix
    for name in names:
        assert name in message, message


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("suite/os.yaml", "name: os\npack: os\nsplit: [val]\n", ["suite/os.yaml", "suite.split", "'splits'"]),
        ("suite/os.yaml", "name: os\n", ["suite/os.yaml", "suite.pack", "add 'pack'"]),
        ("suite/os.yaml", "name: [os\n", ["suite/os.yaml", "YAML"]),
        ("suite/os.yaml", "name: os\npack: ???\n", ["suite.pack"]),
        ("suite/os.yaml", "- 1\n- 2\n", ["os.yaml"]),
        ("eval.yaml", "defaults: [{suite: os}, _self_]\nwrokers: 2\n", ["eval.yaml", "wrokers", "'workers'"]),
        ("eval.yaml", "defaults: [{suite: nope}, _self_]\n", ["eval.yaml", "suite", "use one of"]),
        ("eval.yaml", "", ["eval.yaml", "suite"]),
        ("eval.yaml", "3\n", ["eval.yaml"]),
    ],
)
def test_bad_file_is_named(tmp_path: Path, file: str, text: str, names: list[str]) -> None:
    shutil.copytree(ROOT, tmp_path / "configs")
    (tmp_path / "configs" / file).write_text(text)
    with pytest.raises(InputError) as caught:
        load_config("eval", [], EvalConfig, tmp_path / "configs")
    message = str(caught.value)
    assert caught.value.fix
    for name in names:
        assert name in message, message


def test_unknown_config_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'eval'"):
        load_config("evall", [], EvalConfig)
    with pytest.raises(InputError, match="HYBRID_AGENT_CONFIGS"):
        load_config("eval", [], EvalConfig, tmp_path / "none")


def test_a_location_is_told_without_the_tags_of_unions() -> None:
    assert untagged(TrainConfig, ("stage", "sft", "optim", "lr")) == ("stage", "optim", "lr")
    assert untagged(Task, ("checks", 0, "equals", "path")) == ("checks", 0, "path")
    key = ("stage", "corpus", "packs", "sft", "wordings")  # a key of a mapping may be spelt like a tag
    assert untagged(TrainConfig, ("stage", "sft", *key[1:])) == key
    with pytest.raises(InputError) as error:
        load_config("train", ["stage=ebm", "stage.optim.lr=-1"], TrainConfig)
    assert error.value.field == "stage.optim.lr" and "override" in str(error.value.where)
