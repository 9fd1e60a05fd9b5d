"""Reading models and tokenizers from folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from hybrid_agent.decoder.bundle import ADAPTER, DECODER
from hybrid_agent.decoder.prompt import is_tiny
from hybrid_agent.errors import InputError
from hybrid_agent.nn.tokenizer import load_tokenizer, tokenizer_hash


def load_checkpoint(folder: Path, device: str = "cpu") -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A folder saved by `save_pretrained`: model (fp32 on the CPU, else bf16) and tokenizer.

    A folder with an adapter gives its base with the adapter merged into it.

    Raises:
        InputError: it is not one, or the adapter's base is not there.
    """
    if not any((folder / name).is_file() for name in ("config.json", ADAPTER)):
        fix = "give a folder saved by save_pretrained"
        raise InputError("no model here (config.json is missing)", where=str(folder), fix=fix)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    tokenizer: Any = None
    disable_progress_bar()  # type: ignore[no-untyped-call]  # of transformers; it would break into the live view
    try:
        if (folder / ADAPTER).is_file():
            model = _merged(folder, dtype)
        else:
            model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=dtype, local_files_only=True)
        if (folder / "tokenizer.json").is_file():
            tokenizer = load_tokenizer(folder)
        if tokenizer is None or not is_tiny(tokenizer):
            tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"not a loadable model: {str(error).splitlines()[0]}", where=str(folder)) from error
    return model.to(device).eval(), tokenizer


def _merged(folder: Path, dtype: torch.dtype) -> Any:
    """The base of an adapter, with the adapter merged into it."""
    from peft import PeftModel

    said = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
    base, revision = said.get("base_model_name_or_path"), said.get("revision")
    if not base:
        raise InputError("the adapter does not name its base", where=str(folder), field="base_model_name_or_path")
    try:
        # A base from the hub may be in the cache only as files; HF_HUB_OFFLINE decides whether it may be fetched.
        model = AutoModelForCausalLM.from_pretrained(base, revision=revision, dtype=dtype)
    except (OSError, ValueError) as error:
        fix = "put it there again, or train with model.save=merged"
        what = f"the adapter's base {base} is not loadable: {str(error).splitlines()[0]}"
        raise InputError(what, where=str(folder), fix=fix) from error
    return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()


def load_draft(folder: Path, tokenizer: PreTrainedTokenizerFast, device: str) -> PreTrainedModel:
    """A draft model: a folder saved by `save_pretrained`, or a run or bundle that holds one as its decoder.

    Raises:
        InputError: there is none, or it has another tokenizer than `tokenizer`.
    """
    model, own = load_checkpoint(folder / DECODER if (folder / DECODER).is_dir() else folder, device)
    if tokenizer_hash(own) != tokenizer_hash(tokenizer):
        fix = "train it with stage.tokenizer=RUN OF THE DECODER"
        raise InputError("the draft model has another tokenizer than the decoder", where=str(folder), fix=fix)
    return model
