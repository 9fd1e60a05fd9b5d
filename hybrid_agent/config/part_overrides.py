"""Where the parts of a hybrid are taken from, in place of those beside the decoder."""

from __future__ import annotations

from hybrid_agent.types import Record


class PartOverrides(Record):
    """Each is a run (stage/name) or a folder, `tuned` the one with hybrid.json; None: what lies beside the decoder."""

    scorer: str | None = None
    planner: str | None = None
    experts: str | None = None
    draft: str | None = None
    shaping: str | None = None
    gate: str | None = None
    tuned: str | None = None

    def overrides(self) -> dict[str, str | None]:
        """Part (or `tuned`) -> where it is taken from."""
        return {name: getattr(self, name) for name in PartOverrides.model_fields}
