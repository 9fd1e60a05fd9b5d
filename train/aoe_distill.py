"""What the routed experts know, taught to the generalist.

On calls that the student itself wrote (sampled from its present weights), each token's whole distribution is pulled
towards the expert's by reverse KL, which asks the student to avoid what the expert would not say; on verified gold
calls, forward KL keeps it from forgetting what the expert would (Agarwal et al. 2024, "On-policy distillation").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from peft import PeftModel
from transformers import LlamaForCausalLM

from hybrid_agent.config.optim import OptimConfig
from hybrid_agent.config.stages.aoe import DistilConfig
from hybrid_agent.decoder.engine import Sampling, SegmentEngine
from hybrid_agent.nn.adapters import adapter_of, merged, read_adapter
from hybrid_agent.nn.rows import fast_rows
from hybrid_agent.traces.domains import EXPERTS
from train.aoe_adapters import load_base, old_adapter
from train.aoe_answers import compare
from train.aoe_attempt import DISTILLED, GENERALIST, Attempt
from train.aoe_slices import Answers
from train.data import Sequences, bucket
from train.engine import Loss

STUDENT = "default"
PADDED = 2048  # tokens of texts that are read together


@dataclass(frozen=True)
class Lesson:
    """Some calls to be written again.

    Attributes:
        prompts: token ids of all that comes before each call.
        gold: token ids of the verified call, end token included.
        experts: the teacher of each.
        seed: of the student's samples.
    """

    prompts: tuple[list[int], ...]
    gold: tuple[list[int], ...]
    experts: tuple[str, ...]
    seed: tuple[int, int]


class LessonStream:
    """Endless lessons; the experts' slices come equally often. Lesson i depends on seed and i only."""

    def __init__(
        self, data: Sequences, answers: Answers, rows: NDArray[np.int64], experts: Sequence[str], calls: int, seed: int
    ) -> None:
        self.data, self.answers, self.calls, self.seed = data, answers, calls, seed
        mine = answers.of(rows)
        slices = {name: mine[answers.expert[mine] == EXPERTS.index(name)] for name in experts}  # type: ignore[arg-type]
        self.slices = {name: numbers for name, numbers in slices.items() if len(numbers)}
        self.index = 0

    def state(self) -> dict[str, int]:
        """What `restore` needs."""
        return {"index": self.index}

    def restore(self, state: dict[str, int]) -> None:
        """Go on from a state."""
        self.index = state["index"]

    def next(self) -> Lesson:
        """The next lesson."""
        rng = np.random.default_rng([self.seed, 23, self.index])
        self.index += 1
        names = [str(name) for name in rng.choice(list(self.slices), self.calls)]
        prompts, gold = [], []
        for name in names:
            number = int(rng.choice(self.slices[name]))
            start, stop = self.answers.start[number], self.answers.stop[number]
            begin = self.data.starts[self.answers.row[number]]
            prompts.append(self.data.tokens[begin:start].tolist())
            gold.append(self.data.tokens[start:stop].tolist())
        return Lesson(tuple(prompts), tuple(gold), tuple(names), (self.seed, self.index))


def add_teachers(model: PeftModel, folders: dict[str, Path]) -> None:
    """Put the experts' adapters beside the student's."""
    for name, folder in folders.items():
        model.load_adapter(str(folder), adapter_name=f"teacher-{name}")
    use_student(model)


def use_student(model: PeftModel) -> None:
    """Make the student's adapter the active and the only trainable one."""
    model.set_adapter(STUDENT)


def distil_loss(
    model: PeftModel, clean: LlamaForCausalLM, config: DistilConfig, pad_id: int, end_id: int
) -> Callable[[Lesson], Loss]:
    """The loss of one lesson.

    Args:
        model: the student's adapter and the teachers' over one base.
        clean: the base without adapters, from which the student is rebuilt for sampling.
    """

    def loss(lesson: Lesson) -> Loss:
        with torch.autocast(clean.device.type, enabled=False):  # our own forward pass has one number format
            samples = student_samples(model, clean, lesson, config, end_id)
        texts = [[*p, *s] for p, s in zip(lesson.prompts, samples, strict=True)]
        texts += [[*p, *g] for p, g in zip(lesson.prompts, lesson.gold, strict=True)]
        begins = [len(p) for p in lesson.prompts] * 2
        experts = [*lesson.experts, *lesson.experts]
        teacher = _teacher(model, texts, begins, experts, pad_id)
        use_student(model)
        student = _log_probs(model, texts, begins, pad_id)
        calls = len(lesson.prompts)
        reverse = _kl(student[:calls], teacher[:calls])
        forward = _kl(teacher[calls:], student[calls:])
        value = (1 - config.gold) * reverse + config.gold * forward
        tokens = sum(len(text) for text in texts)
        return Loss(value, tokens, {"reverse_kl": reverse.item(), "forward_kl": forward.item()})

    return loss


@torch.no_grad()
def student_samples(
    model: PeftModel, clean: LlamaForCausalLM, lesson: Lesson, config: DistilConfig, end_id: int
) -> list[list[int]]:
    """One call a prompt, sampled freely from the student as it is now (a call that ended keeps its end token).

    Without the grammar: distillation is about the student's own distribution, and a wrong token that the grammar
    would hide is one to learn from.
    """
    engine = SegmentEngine(fast_rows(merged(clean, adapter_of(model, STUDENT))), end_id)
    out = []
    for number, prompt in enumerate(lesson.prompts):
        room = engine.model.context - len(prompt) - 1
        seed = int(np.random.default_rng([*lesson.seed, number]).integers(2**31))
        how = Sampling(max_tokens=max(1, min(config.max_tokens, room)), temperature=config.temperature, seed=seed)
        (draft,) = engine.write(prompt, how)
        out.append([*draft.tokens, end_id] if draft.complete else list(draft.tokens))
    return out


def _teacher(
    model: PeftModel, texts: Sequence[list[int]], begins: Sequence[int], experts: Sequence[str], pad_id: int
) -> list[torch.Tensor]:
    """Each text's log-probabilities by its own expert."""
    out: list[torch.Tensor] = [torch.empty(0)] * len(texts)
    with torch.no_grad():
        for name in dict.fromkeys(experts):
            model.set_adapter(f"teacher-{name}", inference_mode=True)
            mine = [i for i, expert in enumerate(experts) if expert == name]
            found = _log_probs(model, [texts[i] for i in mine], [begins[i] for i in mine], pad_id)
            for i, values in zip(mine, found, strict=True):
                out[i] = values
    return out


def _log_probs(model: PeftModel, texts: Sequence[list[int]], begins: Sequence[int], pad_id: int) -> list[torch.Tensor]:
    """Log-probabilities (N, vocab) of the tokens from `begins` on, by the active adapter.

    Texts of similar length go together: padded to the longest of all they would take three times the memory.
    """
    llama = model.get_base_model()
    spans: list[torch.Tensor] = [torch.empty(0)] * len(texts)
    lengths = np.array([len(text) for text in texts])
    for group in bucket(np.arange(len(texts)), lengths, PADDED):
        longest = int(lengths[group].max())
        ids = torch.tensor([[*texts[i], *[pad_id] * (longest - len(texts[i]))] for i in group], device=llama.device)
        hidden = llama.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        for row, i in enumerate(group):
            spans[i] = hidden[row, begins[i] - 1 : len(texts[i]) - 1]
    logits = llama.lm_head(torch.cat(spans)).float()
    return list(F.log_softmax(logits, -1).split([len(span) for span in spans]))


def _kl(of: Sequence[torch.Tensor], to: Sequence[torch.Tensor]) -> torch.Tensor:
    """Mean over tokens of KL(of || to)."""
    p, q = torch.cat(list(of)), torch.cat(list(to))
    return (p.exp() * (p - q)).sum(-1).mean()


def distil(attempt: Attempt) -> dict[str, Any]:
    """Teach the generalist; it is replaced only if it did not get worse on the half to decide on."""
    stage, held = attempt.stage, attempt.held
    assert stage.distil is not None
    end_id, seed = int(attempt.base.tokenizer.eos_token_id), attempt.seed(DISTILLED)
    clean = load_base(Path(attempt.config.runs), stage.decoder).model  # samples are drawn without adapters in the way
    before = attempt.adapter(GENERALIST)
    model = old_adapter(attempt.base.model, before)
    add_teachers(model, {name: attempt.adapter(name) for name in stage.experts})
    settings = stage.distil
    figures = attempt.trainer.train(
        DISTILLED,
        model,
        LessonStream(attempt.data, attempt.answers, attempt.rows, stage.experts, settings.calls, seed),
        lambda llama: distil_loss(model, clean, settings, attempt.pad_id, end_id),
        lambda llama: lambda: held.quick(llama),
        OptimConfig.model_validate({**stage.optim.model_dump(), "lr": settings.lr}),
        stage.length.model_copy(update={"max_steps": settings.steps}),
        attempt.adapter(DISTILLED),
    )
    if not attempt.trainer.ranks.first:
        return figures
    old, new = (
        held.score(attempt.base.model, read_adapter(path), held.tune) for path in (before, attempt.adapter(DISTILLED))
    )
    test = compare(new, old, held.groups(held.tune), attempt.config.seed)
    was, now = old.figures(), new.figures()
    kept = now["exact"] >= was["exact"] and now["loss"] < was["loss"]
    attempt.log(
        f"{DISTILLED}: exact {was['exact']:.4f} -> {now['exact']:.4f}, loss {was['loss']:.5f} -> {now['loss']:.5f}"
    )
    attempt.log(f"{DISTILLED}: {'takes the place of' if kept else 'does not replace'} the generalist")
    return {**figures, "promoted": kept, "before": was, "after": now, "against_generalist": test.as_json()}
