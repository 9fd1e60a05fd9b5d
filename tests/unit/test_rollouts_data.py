"""Stored rollouts: what is scrubbed, how groups are held out, what guards the splits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybrid_agent.config.load import load_config
from hybrid_agent.config.rollouts import RolloutsConfig
from hybrid_agent.errors import InputError
from hybrid_agent.traces.contexts import Candidate, Context, write_contexts
from hybrid_agent.traces.counts import tally
from hybrid_agent.traces.groups import split_groups
from hybrid_agent.traces.provenance import CONTEXTS, Provenance, data_file, write_provenance
from hybrid_agent.types import Exchange, Segment, Window
from train.rollouts.build import plan_build
from train.rollouts.scrub import scrub, scrub_record

SECRETS = [
    "AKIAABCDEFGHIJKLMNOP",
    "ghp_" + "a1B2" * 10,
    "api_key = s3cr3tvalue99",
    "jane.doe@corp-mail.com",
    "/home/janedoe/.profile",
]


def context(group: str, texts: tuple[str, ...] = ('{"tool":"shell","args":{"cmd":"ls"}}',), obs: str = "ok") -> Context:
    return Context(
        id=f"{group}.1",
        task_id=group,
        pack="os",
        intents=("sort",),
        group=group,
        domain="shell",
        window=Window(goal="list", phase="step", steps=("list",), exchanges=(Exchange(call=texts[0], obs=obs),)),
        candidates=tuple(Candidate(segment=Segment(text=text), label="pass", stratum="gold") for text in texts),
    )


@pytest.mark.parametrize("secret", SECRETS)
def test_planted_secrets_and_addresses_are_cut_out_everywhere(secret: str) -> None:
    call = json.dumps({"tool": "shell", "args": {"cmd": f"echo '{secret}' \"x\"\n"}}, separators=(",", ":"))
    clean = scrub_record(context("os-1", (call,), obs=f"ok\n{secret}\n"))
    core = secret.split(" = ")[-1]
    assert core not in clean.model_dump_json()
    for text in (clean.candidates[0].segment.text, clean.window.exchanges[0].call):
        assert json.loads(text)["tool"] == "shell"


@pytest.mark.parametrize("text", ["user@example.com", "getty@tty1.service", "git@host:repo", "/home/user/x", "a @ b.c"])
def test_what_names_nobody_stays(text: str) -> None:
    assert scrub(text) == text


def test_clean_records_are_the_same_object() -> None:
    clean = context("os-1", ('{"tool":"shell","args":{"cmd":"printf \\"a\\\\n\\""}}',))
    assert scrub_record(clean) is clean


def test_groups_are_held_out_whole_and_stay_there() -> None:
    contexts = [context(f"os-train-{number}") for number in range(400) for _ in range(2)]
    kept, out = split_groups(contexts, 0.25, seed=3)
    assert not {c.group for c in kept} & {c.group for c in out}
    assert 0.15 < len(out) / len(contexts) < 0.35
    assert {c.group for c in split_groups(contexts[:100], 0.25, seed=3)[1]} <= {c.group for c in out}
    assert split_groups(contexts, 0.0)[1] == [] and split_groups(contexts, 1.0)[0] == []


def test_data_of_another_split_is_refused(tmp_path: Path) -> None:
    write_contexts(tmp_path / CONTEXTS, [context("os-val-1")])
    made = Provenance(what="contexts", split="val", decoder="tiny", decoder_hash="0", packs={})
    assert write_provenance(tmp_path, made, [CONTEXTS]).files[CONTEXTS]
    assert data_file(tmp_path, splits=("train", "val")) == tmp_path / CONTEXTS
    with pytest.raises(InputError, match="split val"):
        data_file(tmp_path, splits=("train",))


def test_a_folder_without_provenance_is_no_training_data(tmp_path: Path) -> None:
    write_contexts(tmp_path / CONTEXTS, [context("os-train-1")])
    with pytest.raises(InputError, match="not complete"):
        data_file(tmp_path, splits=("train",))


def test_one_folder_never_holds_two_splits(tmp_path: Path) -> None:
    out = f"out={tmp_path / 'data'}"
    plan_build(load_config("rollouts", [out, "packs={os: 3, code: 0}"], RolloutsConfig))
    with pytest.raises(InputError, match="never mixed"):
        plan_build(load_config("rollouts", [out, "packs={os: 3, code: 0}", "split=val"], RolloutsConfig))


@pytest.mark.parametrize(
    "wrong", ["packs={nothing: 3}", "decoder=openai:http://x", "decoder=hf:sft/none", "packs={os: 0, code: 0}"]
)
def test_wrong_settings_are_named(tmp_path: Path, wrong: str) -> None:
    packs = [] if wrong.startswith("packs") else ["packs={os: 1, code: 0}"]
    with pytest.raises(InputError):
        plan_build(load_config("rollouts", [f"out={tmp_path}", f"runs={tmp_path}", *packs, wrong], RolloutsConfig))


def test_stored_splits_are_cut_to_what_is_there(tmp_path: Path) -> None:
    settings = load_config("rollouts", [f"out={tmp_path}", "packs={os: 100000, code: 0}", "split=val"], RolloutsConfig)
    jobs = plan_build(settings).jobs
    assert jobs[0].start == 0 and jobs[-1].stop < 100_000
    assert all(job.stop - job.start <= settings.shard for job in jobs)


def test_counts_add_up() -> None:
    found = tally([context("a"), context("b", ("x", "y"))])
    assert found.counts() == {"shell": {"gold": {"pass": 3}}}
    assert found.contexts["shell"] == 2 and found.usable["shell"] == 0
