"""Schema of `configs/decontaminate.yaml`."""

from __future__ import annotations

from pydantic import Field

from hybrid_agent.config.mixture import Format, ScreenConfig, SourceConfig


class DecontaminateConfig(ScreenConfig):
    """`data` with `format`, `split`, `subset`, `revision` and `columns` is a source as in a mixture. What is kept goes
    to `out`, the report to `report` (default: beside `out`); without both nothing is written."""

    data: str | None = None
    format: Format = "sequences"
    split: str = "train"
    subset: str | None = None
    revision: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    out: str | None = None
    report: str | None = None

    def source(self) -> SourceConfig:
        """The data as a source."""
        return SourceConfig(
            path=self.data or "",
            format=self.format,
            split=self.split,
            subset=self.subset,
            revision=self.revision,
            columns=self.columns,
        )

    def screen(self) -> ScreenConfig:
        """What counts as contaminated, without the rest."""
        return ScreenConfig(**{name: getattr(self, name) for name in ScreenConfig.model_fields})


SCHEMA = DecontaminateConfig
