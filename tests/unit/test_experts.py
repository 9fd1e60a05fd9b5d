"""Which expert writes, and that it computes what PEFT would."""

import copy
import json

import pytest
import torch
from peft import PeftModel

from hybrid_agent.decoder.engine import Sampling, SegmentEngine
from hybrid_agent.decoder.experts import ExpertLibrary, mixture
from hybrid_agent.errors import InputError
from hybrid_agent.nn.adapters import adapter_of, write_adapter
from hybrid_agent.types import Control
from tests.unit.decoder_models import model
from tests.unit.test_adapters import IDS, logits, trained


@pytest.fixture(scope="module")
def adapters():
    names = ("generalist", "python", "shell", "editor")
    return {name: adapter_of(trained(20 + i)) for i, name in enumerate(names)}


@pytest.fixture
def library(adapters):
    return ExpertLibrary(model(), adapters, keep=2)


def said(library, final=False, **prior):
    return library.choose(Control(expert_prior=prior), final)


def test_a_sure_planner_gets_one_expert_and_an_unsure_one_a_mixture_for_drafts(library):
    assert said(library, python=0.6, shell=0.4) == "python"
    assert said(library, python=0.59, shell=0.41) == "python+shell@0.5"
    assert said(library, final=True, python=0.59, shell=0.41) == "python"
    assert said(library, shell=0.45, python=0.15, editor=0.2, generalist=0.2) == "editor+shell@0.25"
    assert said(library, editor=0.5, shell=0.2, python=0.2, generalist=0.1) == "editor+python@0.75"
    assert library.choose(Control(), False) == "base"


def test_experts_that_are_not_there_are_passed_over(adapters):
    library = ExpertLibrary(model(), {"python": adapters["python"]})
    assert said(library, config=0.9, python=0.1) == "python"
    assert said(library, config=1.0) == "base"
    assert said(library, generalist=0.7, python=0.3) == "base"
    assert said(library, generalist=0.5, python=0.5) == "base+python@0.5"


def test_a_promoted_child_replaces_the_mixtures_of_its_parents(adapters):
    library = ExpertLibrary(model(), adapters, {"generalist": ("python", "shell")})
    assert said(library, python=0.5, shell=0.5) == "generalist"
    assert said(library, python=0.9, shell=0.1) == "python"


def test_each_mixture_has_one_name_with_the_share_of_its_first():
    assert mixture("a", "b", 0.7) == "a+b@0.75" and mixture("b", "a", 0.7) == "a+b@0.25"
    assert mixture("a", "b", 0.55) == mixture("b", "a", 0.55) == "a+b@0.5"


def forward(rows):
    return rows.forward([0], [IDS[0].tolist()], [0])[0].clone()


def test_rows_compute_what_peft_computes_for_experts_and_cat_mixtures(library, adapters, tmp_path):
    for name in ("python", "shell"):
        write_adapter(adapters[name], tmp_path / name, torch.float32)
    theirs = PeftModel.from_pretrained(copy.deepcopy(model()), str(tmp_path / "python"), adapter_name="python")
    theirs.load_adapter(str(tmp_path / "shell"), adapter_name="shell")
    theirs.add_weighted_adapter(["python", "shell"], [0.25, 0.75], "both", combination_type="cat")
    theirs.eval()
    for ours, name in (("python", "python"), ("shell", "shell"), ("python+shell@0.25", "both")):
        theirs.set_adapter(name)
        torch.testing.assert_close(forward(library.rows(ours)), logits(theirs), atol=1e-4, rtol=0)
    torch.testing.assert_close(forward(library.rows("base")), logits(model()), atol=1e-4, rtol=0)


def test_merged_models_are_made_once_and_the_oldest_is_dropped(library):
    python, base = library.rows("python"), library.rows("base")
    shell = library.rows("shell")
    assert library.rows("python") is python
    library.rows("editor")  # two are kept: shell was used longest ago
    assert library.rows("python") is python and library.rows("base") is base
    assert library.rows("shell") is not shell


def test_a_text_that_another_expert_began_is_continued_as_if_it_were_ones_own(library):
    """Caches are per expert: a switch reads the text again and gives the same as a fresh start."""
    prompt, how = IDS[0].tolist(), Sampling(max_tokens=6)
    python, shell = (SegmentEngine(library.rows(name), 1) for name in ("python", "shell"))
    (draft,) = python.write(prompt, how)
    longer = [*prompt, *draft.tokens, 7, 8]
    (after,) = shell.write(longer, how)
    assert shell.reused == 0
    fresh = SegmentEngine(ExpertLibrary(model(), library.adapters).rows("shell"), 1)
    assert fresh.write(longer, how)[0].tokens == after.tokens


def test_a_library_is_read_from_folders(adapters, tmp_path):
    for name in ("python", "shell", "both"):
        write_adapter(adapters["python" if name == "both" else name], tmp_path / name)
    (tmp_path / "both" / "child.json").write_text(json.dumps({"parents": ["python", "shell"]}))
    library = ExpertLibrary.load(tmp_path, model())
    assert library.names == ("both", "python", "shell")
    assert said(library, python=0.5, shell=0.5) == "both"
    with pytest.raises(InputError, match="no experts here"):
        ExpertLibrary.load(tmp_path / "none", model())


@pytest.mark.parametrize("name", ["ruby", "python+ruby@0.5", "python+shell", "python+shell@2", "python@0.5"])
def test_names_that_mean_nothing_are_refused(library, name):
    with pytest.raises(InputError):
        library.rows(name)
