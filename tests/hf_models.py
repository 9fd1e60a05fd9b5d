"""Small random Hugging Face folders that stand in for large models: same classes, own tokenizer and chat template."""

import random

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, PreTrainedTokenizerFast

from hybrid_agent.decoder.chat import messages
from hybrid_agent.packs import words
from hybrid_agent.tools.registry import call_schema
from hybrid_agent.types import Window

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SHAPE = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
FAMILIES = {
    "qwen3": {**SHAPE, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 4096},
    "llama": {**SHAPE, "num_key_value_heads": 2, "max_position_embeddings": 4096, "tie_word_embeddings": True},
    "modernbert": {**SHAPE, "max_position_embeddings": 512, "local_attention": 16},
    "bert": {**SHAPE, "max_position_embeddings": 256},
}


def chat_tokenizer(size=1200):
    """Byte-level BPE over our prompts, with the control tokens and the template of ChatML."""
    window = Window(goal="show x", phase="step", steps=("show the files",), files=("x",))
    said = [m["content"] for m in messages(window, call_schema())]
    rng = random.Random(0)
    said += [" ".join(rng.choices(words.TRAIN, k=8)) for _ in range(100)]
    said += ['{"tool":"fs","args":{"op":"list","path":"x"}}', '{"tool":"fs","args":{"op":"stat","path":"x"}}']
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw.train_from_iterator(
        said,
        trainers.BpeTrainer(
            vocab_size=size, special_tokens=specials, initial_alphabet=alphabet, show_progress=False, min_frequency=1
        ),
    )
    made = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<|endoftext|>", eos_token="<|im_end|>")
    made.chat_template = CHATML
    return made


def save_folder(folder, family="qwen3", tokenizer=None, seed=0, **changes):
    """A random model of a family (a decoder, or an encoder without a head) with a tokenizer; returns the folder."""
    tokenizer = tokenizer or chat_tokenizer()
    settings = {**FAMILIES[family], "vocab_size": len(tokenizer), "pad_token_id": 0, **changes}
    if family == "qwen3" or family == "llama":
        settings |= {"eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    config = AutoConfig.for_model(family, **settings)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind = AutoModel if family in ("bert", "modernbert") else AutoModelForCausalLM
        model = kind.from_config(config)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder
