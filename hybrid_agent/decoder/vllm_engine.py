"""vLLM behind a small interface: what is asked of it, what comes back, how it is loaded. Imports it only when loaded.

Everything about vLLM's own names is here, as plain dictionaries of arguments that can be looked at without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from hybrid_agent.config.explain import nearest
from hybrid_agent.errors import InfraError, InputError

EXTRA = "pip install 'hybrid-agent[gpu]'"
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # what vLLM knows
MOST_BIASED = 1024  # logit_bias of one request
TOP = 20  # likeliest tokens reported at each position, for the entropy
LOADERS = ("auto", "float16", "bfloat16", "float32")
QUANTIZED = ("awq", "awq_marlin", "gptq", "gptq_marlin", "fp8", "compressed-tensors", "bitsandbytes")


@dataclass(frozen=True)
class VllmOptions:
    """How the model is loaded: `vllm:PATH#quantization=fp8,tensor=2`.

    Attributes:
        dtype: of the weights; auto takes the checkpoint's.
        quantization: None reads it from the checkpoint (AWQ, GPTQ, compressed-tensors say it themselves); fp8 also
            quantizes a plain checkpoint while it is loaded.
        kv: type of the KV cache, e.g. fp8.
        tensor, pipeline: GPUs over which layers are split, and over which they are spread.
        memory: share of a GPU's memory that may be used.
        context: tokens; None: the model's.
        rows: sequences under way at most.
        loras: adapters that may be in use at once.
        eager: no CUDA graphs: loads faster, runs slower.
    """

    dtype: str = "auto"
    quantization: str | None = None
    kv: str = "auto"
    tensor: int = 1
    pipeline: int = 1
    memory: float = 0.9
    context: int | None = None
    rows: int = 64
    loras: int = 4
    eager: bool = False


def parse_target(text: str, where: str) -> tuple[Path, VllmOptions]:
    """Read `PATH` or `PATH#key=value,...`.

    Raises:
        InputError: an option is unknown or has no such value.
    """
    path, _, said = text.partition("#")
    known = {each.name: each for each in fields(VllmOptions)}
    given: dict[str, Any] = {}
    for item in filter(None, said.split(",")):
        key, equals, value = item.partition("=")
        if key not in known or not equals:
            close = nearest(key, known)
            fix = f"did you mean {close!r}?" if close else "use " + ", ".join(known)
            raise InputError(f"not an option of vllm: {item!r}", where=where, fix=fix)
        try:
            given[key] = _value(key, value)
        except ValueError as error:
            raise InputError(str(error), where=where, field=key) from None
    return Path(path).expanduser(), VllmOptions(**given)


def _value(key: str, text: str) -> Any:
    if key == "eager":
        if text not in ("true", "false"):
            raise ValueError("must be true or false")
        return text == "true"
    if key in ("tensor", "pipeline", "context", "rows", "loras"):
        if not text.isdecimal() or int(text) < 1:
            raise ValueError("must be a whole number above 0")
        return int(text)
    if key == "memory":
        if not 0 < float(text) <= 1:
            raise ValueError("must be a share above 0, at most 1")
        return float(text)
    choices = {"dtype": LOADERS, "quantization": QUANTIZED}.get(key)
    if choices is not None and text not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return text


@dataclass(frozen=True)
class Request:
    """One prompt's wish: `n` texts of at most `max_tokens`; `schema` is JSON Schema as text (None: write freely),
    `bias` is added to the logits of tokens, before the grammar."""

    n: int
    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    schema: str | None = None
    bias: Mapping[int, float] = field(default_factory=dict)
    stop: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lora:
    """An adapter in PEFT's layout; `number` is its own among all that an engine was ever given."""

    name: str
    number: int
    folder: Path


@dataclass(frozen=True)
class Written:
    """One text. `chosen` holds the log-probability of each token, `tops` those of the likeliest at its place."""

    tokens: tuple[int, ...]
    chosen: tuple[float, ...]
    tops: tuple[tuple[float, ...], ...]
    stopped: bool


class Engine(Protocol):
    """What the decoder needs of vLLM."""

    context: int

    def write(self, ids: Sequence[int], requests: Sequence[Request], lora: Lora | None) -> list[Written]:
        """All texts of all requests for one prompt, in order; they are decoded together."""
        ...


def engine_arguments(folder: Path, options: VllmOptions, lora_rank: int = 0) -> dict[str, Any]:
    """What `vllm.LLM` is called with.

    Args:
        lora_rank: the largest rank of an adapter; 0: there are none.

    Raises:
        InputError: the rank is more than vLLM takes.
    """
    given: dict[str, Any] = {
        "model": str(folder),
        "dtype": options.dtype,
        "quantization": options.quantization,
        "kv_cache_dtype": options.kv,
        "tensor_parallel_size": options.tensor,
        "pipeline_parallel_size": options.pipeline,
        "gpu_memory_utilization": options.memory,
        "max_model_len": options.context,
        "max_num_seqs": options.rows,
        "enforce_eager": options.eager,
        "enable_prefix_caching": True,  # the candidates of a turn, and its further rounds, share the prompt
        "structured_outputs_config": {"backend": "guidance"},  # the library that our own grammars are compiled with
        "logprobs_mode": "processed_logprobs",  # under the grammar and the bias, as our own engine counts them
        "max_logprobs": TOP,
    }
    if lora_rank:
        rank = next((known for known in LORA_RANKS if known >= lora_rank), None)
        if rank is None:
            raise InputError(f"adapters of rank {lora_rank} are too large for vLLM", fix=f"at most {LORA_RANKS[-1]}")
        given |= {"enable_lora": True, "max_loras": options.loras, "max_lora_rank": rank}
    return {key: value for key, value in given.items() if value is not None}


def sampling_arguments(request: Request) -> dict[str, Any]:
    """What `vllm.SamplingParams` is called with, but for the schema, which has a class of its own."""
    given: dict[str, Any] = {
        "n": request.n,
        "temperature": request.temperature,
        "seed": request.seed,
        "max_tokens": request.max_tokens,
        "logprobs": TOP,
        "detokenize": False,
        "stop_token_ids": list(request.stop),
    }
    if request.bias:
        largest = sorted(request.bias.items(), key=lambda item: -abs(item[1]))[:MOST_BIASED]
        given["logit_bias"] = {int(token): float(value) for token, value in largest}
    return given


def entropy_of(tops: Sequence[float]) -> float:
    """Entropy (nats) of a choice by its likeliest tokens; all others are counted as one, so it is a lower bound."""
    shares = [math.exp(value) for value in tops if value > -math.inf]
    rest = max(0.0, 1.0 - sum(shares))
    return -sum(p * math.log(p) for p in (*shares, rest) if p > 1e-12) + 0.0


class VllmEngine:
    """`vllm.LLM` in this process. One call at a time: many sessions at once are better served by `vllm serve` and
    `openai:URL`, which batches over them.

    Raises:
        InputError: vLLM is not installed, or cannot load the model.
    """

    def __init__(self, folder: Path, options: VllmOptions, lora_rank: int = 0) -> None:
        self._vllm = import_vllm()
        arguments = engine_arguments(folder, options, lora_rank)
        try:
            self._llm = self._vllm.LLM(**arguments)
        except Exception as error:  # vLLM passes on what torch, CUDA and the loader raise
            text = str(error).strip().splitlines() or [type(error).__name__]
            fix = "check the options (vllm:PATH#dtype=...,memory=...,context=...)"
            raise InputError(f"vLLM cannot load it: {text[0]}", where=str(folder), fix=fix) from error
        self.context = int(self._llm.model_config.max_model_len)
        self._lock = Lock()

    def write(self, ids: Sequence[int], requests: Sequence[Request], lora: Lora | None) -> list[Written]:
        """See `Engine`.

        Raises:
            InfraError: the engine failed.
        """
        prompts = [{"prompt_token_ids": list(ids)} for _ in requests]
        params = [self._params(request) for request in requests]
        adapter = None
        if lora is not None:
            adapter = import_module("vllm.lora.request").LoRARequest(lora.name, lora.number, str(lora.folder))
        try:
            with self._lock:
                replies = self._llm.generate(prompts, params, use_tqdm=False, lora_request=adapter)
        except Exception as error:
            raise InfraError(f"vLLM failed: {error}") from error
        return [written_of(output) for reply in replies for output in reply.outputs]

    def _params(self, request: Request) -> Any:
        given = sampling_arguments(request)
        if request.schema is not None:
            made = import_module("vllm.sampling_params").StructuredOutputsParams(json=request.schema)
            given["structured_outputs"] = made
        return self._vllm.SamplingParams(**given)


def written_of(output: Any) -> Written:
    """From `vllm.CompletionOutput`."""
    tokens = tuple(int(token) for token in output.token_ids)
    places = list(output.logprobs or [])[: len(tokens)]
    chosen = tuple(float(place[token].logprob) for token, place in zip(tokens, places, strict=True))
    tops = tuple(tuple(sorted((float(one.logprob) for one in place.values()), reverse=True)[:TOP]) for place in places)
    return Written(tokens, chosen, tops, output.finish_reason == "stop")


def import_vllm() -> Any:
    """The module.

    Raises:
        InputError: it is not installed, or cannot be loaded on this machine.
    """
    try:
        return import_module("vllm")
    except ModuleNotFoundError as error:
        if error.name != "vllm":
            raise InputError(f"vllm cannot be loaded: {error}", where="decoder=vllm", fix=EXTRA) from error
        raise InputError("vllm is not installed", where="decoder=vllm", fix=EXTRA) from None
    except (ImportError, RuntimeError, OSError) as error:
        raise InputError(f"vllm cannot be loaded: {error}", where="decoder=vllm", fix=EXTRA) from error


def described(options: VllmOptions) -> str:
    """The options that are not the defaults, as they are typed."""
    plain = asdict(VllmOptions())
    return ",".join(f"{key}={str(value).lower()}" for key, value in asdict(options).items() if value != plain[key])
