"""The planner's tool prior as the decoder wants it: what the planner says over what any window would say."""

from __future__ import annotations

from collections.abc import Mapping

from hybrid_agent.protocols import Planner
from hybrid_agent.types import Control, Window

LEAST = 1e-3  # a tool that was hardly ever right must not be lifted by its rarity alone


class RelativePlanner:
    """A planner whose tool prior is divided by the tools' marginal and renormalised.

    The decoder knows by itself how often each tool is used; the plain prior would count that twice (models.md,
    section 4).

    Args:
        planner: gives plain probabilities.
        marginal: how often each tool is right overall; empty leaves the prior as it is.
    """

    def __init__(self, planner: Planner, marginal: Mapping[str, float]) -> None:
        self.planner, self.marginal = planner, marginal

    def reset(self) -> None:
        """Forget the episode."""
        getattr(self.planner, "reset", lambda: None)()

    def step(self, window: Window) -> Control:
        """The planner's control with the relative prior."""
        control = self.planner.step(window)
        if not self.marginal or not control.tool_prior:
            return control
        ratio = {name: p / max(self.marginal.get(name, 0.0), LEAST) for name, p in control.tool_prior.items()}
        total = sum(ratio.values())
        return control.model_copy(update={"tool_prior": {name: r / total for name, r in ratio.items()}})
