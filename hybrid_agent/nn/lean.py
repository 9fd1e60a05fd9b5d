"""A Llama forward pass with a KV cache and nothing else.

At one or two million parameters, a step of the stock module costs mostly Python and small kernels. This one
does the same arithmetic in about a dozen operations a layer: weights of norms are folded into the matrices
that follow them, query/key/value and gate/up are one product each, rotary embedding is one complex product
(rows of the query and key matrices are reordered so that rotated pairs lie side by side), and each row of the
cache is a preallocated block.

Shapes: B rows, N new tokens, S cached positions, D width, H heads, G key/value heads, E head width.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from transformers import PreTrainedModel

from hybrid_agent.nn.row_cache import RowCache

Tensor = torch.Tensor


class LeanLlama:
    """Weights of a `LlamaForCausalLM` and the cache of up to `rows` texts.

    `forward` appends tokens to rows; a row may be cut back by passing a smaller start the next time.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        if not supports(model):
            raise ValueError(f"not a plain Llama model: {model.config.model_type}")
        c, dtype = model.config, torch.float32
        self.vocab_size, self.context = int(c.vocab_size), int(c.max_position_embeddings)
        self.heads, self.kv_heads = int(c.num_attention_heads), int(c.num_key_value_heads)
        self.head_dim = int(getattr(c, "head_dim", None) or c.hidden_size // self.heads)
        self.layers, self.eps = int(c.num_hidden_layers), float(c.rms_norm_eps)
        w = {k: v.detach().to("cpu", torch.float32) for k, v in model.state_dict().items()}
        self.embedding = w["model.embed_tokens.weight"].to(dtype)
        head = w.get("lm_head.weight", w["model.embed_tokens.weight"])
        self.norm = w["model.norm.weight"].to(dtype)
        self.head_t = (head * w["model.norm.weight"]).t().contiguous().to(dtype)
        self.blocks = [_pack(w, f"model.layers.{i}.", self.head_dim, dtype) for i in range(self.layers)]
        theta = float(c.rope_parameters["rope_theta"])
        frequencies = theta ** (-torch.arange(0, self.head_dim, 2, dtype=torch.float32) / self.head_dim)
        angles = torch.outer(torch.arange(self.context, dtype=torch.float32), frequencies)
        self.turns = torch.polar(torch.ones_like(angles), angles)[:, None, :]  # (context, 1, E/2), complex
        self.dtype = dtype
        with torch.inference_mode():
            self.cache = RowCache(self.layers, self.kv_heads, self.head_dim, self.context, dtype)
            mlp = self.blocks[0].down.shape[0]
            self._step = _Step(int(c.hidden_size), self.heads, self.kv_heads, self.head_dim, mlp, dtype)

    def over(self, cache: RowCache) -> LeanLlama:
        """The same weights with another cache. Not for use by another thread: working buffers are shared."""
        other = copy.copy(self)
        other.cache = cache
        return other

    @torch.inference_mode()
    def copy_row(self, source: int, targets: Sequence[int], length: int, start: int = 0) -> None:
        """Copy cached positions start..length of one row to others."""
        self.cache.copy(source, targets, length, start)

    # --- forward
    @torch.inference_mode()
    def forward(self, rows: Sequence[int], tokens: Sequence[Sequence[int]], starts: Sequence[int]) -> Tensor:
        """Append `tokens[i]` to row `rows[i]`, whose first `starts[i]` positions are valid.

        Returns:
            float32 (B, vocab): the logits after the last token of each row.
        """
        end = max(s + len(t) for s, t in zip(starts, tokens, strict=True))
        if end > self.context:
            raise ValueError(f"{end} tokens do not fit into a context of {self.context}")
        if len(rows) > 1:
            x = self._many(rows, tokens, starts)
        elif len(tokens[0]) == 1:
            x = self._single(rows[0], tokens[0][0], starts[0])
        else:
            x = self._one(rows[0], tokens[0], starts[0])[-1:]
        return self._logits(x)

    @torch.inference_mode()
    def forward_all(self, row: int, tokens: Sequence[int], start: int, at: Sequence[int] | None = None) -> Tensor:
        """Append tokens to one row; float32 (len(at), vocab): the logits after the tokens at these places (all)."""
        if start + len(tokens) > self.context:
            raise ValueError(f"{start + len(tokens)} tokens do not fit into a context of {self.context}")
        x = self._one(row, tokens, start)
        return self._logits(x if at is None else x[list(at)])

    def _logits(self, x: Tensor) -> Tensor:
        logits: Tensor = (unit(x, self.eps) @ self.head_t).float()
        return logits

    @torch.inference_mode()
    def states(self, rows: Sequence[int], tokens: Sequence[Sequence[int]], starts: Sequence[int]) -> Tensor:
        """Append as `forward` does; returns the last layer's normed states instead of logits.

        Returns:
            float32 (B, N, D), N the longest of `tokens`; what lies beyond the tokens of a row means nothing.
        """
        states: Tensor = unit(self._many(rows, tokens, starts, whole=True), self.eps) * self.norm
        return states.float()

    def _single(self, row: int, token: int, start: int) -> Tensor:
        """One token of one row, the case that decoding speed hangs on: every result goes into a kept buffer."""
        end, d, eps, step = start + 1, self.embedding.shape[1], self.eps, self._step
        self.cache.reserve(row + 1, end)
        x, qkv, gate_up = step.x, step.qkv, step.gate_up
        x.copy_(self.embedding[token])
        turn, past, flat = self.turns[start], self.cache.data[:, row, :, :, :end].unbind(0), x[0]
        gqa = self.heads != self.kv_heads
        for block, kv in zip(self.blocks, past, strict=True):  # kv: (2, G, S, E)
            scale = (torch.dot(flat, flat).item() / d + eps) ** -0.5
            torch.addmm(qkv, x, block.qkv, beta=0, alpha=scale, out=qkv)
            step.pairs.mul_(turn)
            kv[:, :, start] = step.new
            keys, values = kv[:, None].unbind(0)
            out = F.scaled_dot_product_attention(step.query, keys, values, enable_gqa=gqa)
            x.addmm_(out.view(1, -1), block.out)
            scale = (torch.dot(flat, flat).item() / d + eps) ** -0.5
            torch.addmm(gate_up, x, block.gate_up, beta=0, alpha=scale, out=gate_up)
            x.addmm_(F.silu(step.gate).mul_(step.up), block.down)
        return x

    def _one(self, row: int, tokens: Sequence[int], start: int) -> Tensor:
        """Several tokens of one row: no padding and, for an empty cache, no mask."""
        n = len(tokens)
        end = start + n
        self.cache.reserve(row + 1, end)
        turns = self.turns[start:end]
        x: Tensor = self.embedding[torch.tensor(tokens)]  # (N, D)
        mask = torch.ones(n, end, dtype=torch.bool).tril_(start) if start else None
        h, g, e, gqa = self.heads, self.kv_heads, self.head_dim, self.heads != self.kv_heads
        for block, cache in zip(self.blocks, self.cache.data, strict=True):
            qkv = (unit(x, self.eps) @ block.qkv).view(n, h + 2 * g, e)
            rotate(qkv[:, : h + g], turns)
            cache[row, :, :, start:end] = qkv[:, h:].view(n, 2, g, e).permute(1, 2, 0, 3)
            keys, values = cache[row : row + 1, :, :, :end].unbind(1)
            query = qkv[None, :, :h].transpose(1, 2)
            out = F.scaled_dot_product_attention(query, keys, values, mask, is_causal=not start, enable_gqa=gqa)
            x = torch.addmm(x, out[0].transpose(0, 1).reshape(n, h * e), block.out)
            x = mlp(x, block, self.eps)
        return x

    def _many(
        self, rows: Sequence[int], tokens: Sequence[Sequence[int]], starts: Sequence[int], whole: bool = False
    ) -> Tensor:
        """Rows of different lengths, padded on the right; (B, D) after the last token of each, or `whole` (B, N, D).

        What a pad writes lies beyond its row's end: no query of the row sees it, and the next tokens overwrite it.
        """
        b, n = len(rows), max(len(t) for t in tokens)
        end = min(self.context, max(starts) + n)
        self.cache.reserve(max(rows) + 1, end)
        ids = torch.tensor([[*t, *[t[-1]] * (n - len(t))] for t in tokens])
        lasts = torch.tensor([len(t) - 1 for t in tokens])
        # At the end of the context, pads would fall outside: they repeat the last token at its own place instead.
        offsets = torch.minimum(torch.arange(n), lasts[:, None]) if max(starts) + n > self.context else torch.arange(n)
        positions = torch.tensor(starts)[:, None] + offsets  # (B, N)
        turns = self.turns[positions]  # (B, N, 1, E/2)
        mask = (torch.arange(end) <= positions[..., None])[:, None]  # (B, 1, N, S)
        together = list(rows) == list(range(rows[0], rows[0] + b))
        chosen = slice(rows[0], rows[0] + b) if together else list(rows)  # a slice is a view, a list a copy
        at = torch.tensor(rows)[:, None]
        x: Tensor = self.embedding[ids].view(b * n, -1)
        h, g, e, gqa = self.heads, self.kv_heads, self.head_dim, self.heads != self.kv_heads
        for block, cache in zip(self.blocks, self.cache.data, strict=True):
            qkv = (unit(x, self.eps) @ block.qkv).view(b, n, h + 2 * g, e)
            rotate(qkv[:, :, : h + g], turns)
            cache[at, :, :, positions] = qkv[:, :, h:].view(b, n, 2, g, e)
            keys, values = cache[chosen, :, :, :end].unbind(1)
            out = F.scaled_dot_product_attention(qkv[:, :, :h].transpose(1, 2), keys, values, mask, enable_gqa=gqa)
            x = torch.addmm(x, out.transpose(1, 2).reshape(b * n, h * e), block.out)
            x = mlp(x, block, self.eps)
        return x.view(b, n, -1) if whole else x.view(b, n, -1)[torch.arange(b), lasts]


class _Step:
    """Buffers of the one-token path, and views into them."""

    def __init__(self, d: int, heads: int, kv_heads: int, head_dim: int, mlp: int, dtype: torch.dtype) -> None:
        self.x = torch.empty(1, d, dtype=dtype)
        self.qkv = torch.empty(1, (heads + 2 * kv_heads) * head_dim, dtype=dtype)
        self.gate_up = torch.empty(1, 2 * mlp, dtype=dtype)
        parts = self.qkv.view(heads + 2 * kv_heads, head_dim)
        self.query = parts[None, :heads, None]  # (1, H, 1, E)
        self.new = parts[heads:].view(2, kv_heads, head_dim)
        self.pairs = _pairs(parts[: heads + kv_heads])
        self.gate, self.up = self.gate_up.chunk(2, -1)


class _Block:
    """Transposed, fused weights of one layer."""

    __slots__ = ("down", "gate_up", "out", "qkv")

    def __init__(self, qkv: Tensor, out: Tensor, gate_up: Tensor, down: Tensor) -> None:
        self.qkv, self.out, self.gate_up, self.down = qkv, out, gate_up, down


def _pack(w: dict[str, Tensor], prefix: str, head_dim: int, dtype: torch.dtype) -> _Block:
    def matrix(name: str) -> Tensor:
        return w[f"{prefix}{name}.weight"]

    def paired(m: Tensor) -> Tensor:
        """Rows (i, i + E/2) of each head side by side: attention does not notice, rotation becomes complex."""
        return m.view(-1, 2, head_dim // 2, m.shape[1]).transpose(1, 2).reshape(m.shape)

    q, k = paired(matrix("self_attn.q_proj")), paired(matrix("self_attn.k_proj"))
    qkv = torch.cat([q, k, matrix("self_attn.v_proj")]) * w[f"{prefix}input_layernorm.weight"]
    gate_up = (
        torch.cat([matrix("mlp.gate_proj"), matrix("mlp.up_proj")]) * w[f"{prefix}post_attention_layernorm.weight"]
    )
    parts = (qkv, matrix("self_attn.o_proj"), gate_up, matrix("mlp.down_proj"))
    return _Block(*(m.t().contiguous().to(dtype) for m in parts))


def rotate(qk: Tensor, turns: Tensor) -> None:
    """Rotary embedding of (..., heads, E) by complex (..., 1, E/2), in place."""
    _pairs(qk).mul_(turns)


def _pairs(x: Tensor) -> Tensor:
    """Neighbours as complex numbers, a view."""
    return torch.view_as_complex(x.view(*x.shape[:-1], -1, 2))


def unit(x: Tensor, eps: float) -> Tensor:
    """RMS norm of (N, D) without a weight."""
    return x * torch.rsqrt(torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_() / x.shape[-1] + eps)


def mlp(x: Tensor, block: _Block, eps: float) -> Tensor:
    gate, up = (unit(x, eps) @ block.gate_up).chunk(2, -1)
    return torch.addmm(x, F.silu(gate).mul_(up), block.down)


def supports(model: PreTrainedModel) -> bool:
    """True if this file's arithmetic is exactly that of `model`."""
    c = model.config
    return (
        c.model_type == "llama"
        and not getattr(c, "attention_bias", False)
        and not getattr(c, "mlp_bias", False)
        and c.hidden_act == "silu"
        and c.rope_parameters.get("rope_type", "default") == "default"
        and getattr(c, "quantization_config", None) is None
        and not any("lora_" in name for name, _ in model.named_parameters())
    )
