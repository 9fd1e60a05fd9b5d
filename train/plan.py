"""What training and serving would take, before anything starts: `make plan PROFILE=node4`.

    python -m train.plan --profile node4 --model qwen25_coder_7b
    python -m train.plan --profile node4 --model seed_coder_8b --stage sft_lora --json model.context=8192

Memory is counted from the real modules without their weights; hours follow from a throughput that a run under
`runs/` measured with this profile and model, or else from a stated share of the peak (MFU), and are marked so.
Overrides (key=value) go to every stage. Exit codes: 0 all fits, 1 something does not, 2 bad input.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from hybrid_agent.config.load import load_config
from hybrid_agent.config.model import HfModelConfig
from hybrid_agent.config.train import TrainConfig
from hybrid_agent.errors import HybridAgentError, InputError

STAGES = ("sft_lora", "sft", "ebm", "ebm_encoder", "hrm", "aoe", "rl")
TINY_STAGES = ("sft", "ebm", "hrm", "aoe", "rl")


def main(arguments: Sequence[str] | None = None) -> int:
    """Plan; returns the exit code."""
    options = _options(arguments)
    stages = options.stage or (TINY_STAGES if options.model in ("tiny", "draft") else STAGES)
    try:
        configs = [(stage, _config(stage, options)) for stage in stages]
        # Only now: a typo is reported without waiting for torch.
        from train.plan_report import plan_serving, plan_stage, show

        rows = [plan_stage(stage, config, mfu=options.mfu) for stage, config in configs]
        served = []
        for name in dict.fromkeys((options.model, *options.draft)):
            config = load_config("train", [f"model={name}", f"profile={options.profile}"], TrainConfig)
            if isinstance(config.model, HfModelConfig):
                served += plan_serving(config, sequences=options.sequences, context=options.serve_context)
    except HybridAgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    if options.json:
        print(json.dumps({"profile": options.profile, "stages": rows, "serving": served}, indent=1))
    else:
        show(rows, served, configs[0][1].profile)
    return 0 if all(row["fits"] for row in (*rows, *served)) else 1


def check(config: TrainConfig) -> None:
    """Refuse a run that cannot fit the profile's devices; costs nothing where the profile names no memory.

    Raises:
        InputError: with the numbers and what to change.
    """
    if config.profile.memory_gib is None:
        return
    from train.plan_report import refuse

    refuse(config)


def _config(stage: str, options: argparse.Namespace) -> TrainConfig:
    overrides = [f"stage={stage}", f"profile={options.profile}", f"model={options.model}", *options.overrides]
    if stage == "sft" and options.model not in ("tiny", "draft"):
        overrides.append("model.lora=null")  # sft_lora is the one with adapters
    return load_config("train", overrides, TrainConfig)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="node4", help="configs/profile (default: node4)")
    parser.add_argument("--model", help="configs/model (default: qwen25_coder_7b; for profile tiny: tiny)")
    parser.add_argument("--stage", action="append", help="configs/stage; may be repeated (default: all)")
    parser.add_argument("--draft", action="append", default=[], help="also plan serving of this model")
    parser.add_argument("--mfu", type=float, help="share of the peak to state where nothing was measured")
    parser.add_argument("--sequences", type=int, default=32, help="decoded at once (default: 32)")
    parser.add_argument("--serve-context", type=int, default=8192, help="tokens of each (default: 8192)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="for every stage")
    options = parser.parse_intermixed_args(arguments)
    options.model = options.model or ("tiny" if options.profile == "tiny" else "qwen25_coder_7b")
    return options


if __name__ == "__main__":
    sys.exit(main())
