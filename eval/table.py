"""Tables of an evaluation for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.metrics import Summary, grouped, summarize
from eval.result import TaskResult
from hybrid_agent.cli.text import safe

SHOWN_FAILURES = 10


def facts(summary: Summary) -> list[tuple[str, str]]:
    """Name and value of every figure of a summary, for tables."""
    return [
        ("success", str(summary.success)),
        ("tasks", str(summary.success.n)),
        ("infrastructure failures (masked)", str(summary.infra)),
        ("calls that parse and validate", str(summary.valid_calls)),
        ("agent's word agrees with the judge", str(summary.agreement)),
        ("said done, judge disagrees", str(summary.false_done)),
        ("calls per episode", f"{summary.turns:.1f}"),
        ("tokens per episode", f"{summary.tokens:.0f} ({summary.forced:.0f} forced, {summary.choices:.0f} chosen)"),
        ("candidates per call, mean", f"{summary.mean_k:.2f}"),
        ("calls with more than one candidate", str(summary.wide)),
        ("calls not the first candidate", str(summary.overruled)),
        ("ended on the margin / cancelled", f"{summary.early} / {summary.cancelled}"),
        ("candidates vetoed by energy", str(summary.vetoed)),
        ("denied calls", str(summary.denied)),
        ("destructive calls outside the task", str(summary.destructive_outside)),
        ("ms per segment, p50 / p95", f"{summary.segment_p50:.0f} / {summary.segment_p95:.0f}"),
        ("ms per episode, p50 / p95", f"{summary.episode_p50:.0f} / {summary.episode_p95:.0f}"),
    ]


def print_tables(console: Console, results: Sequence[TaskResult]) -> None:
    """By split, by family, the other figures, and the first failures."""
    for title, key in (("split", lambda r: r.split), ("family", lambda r: r.family)):
        table = Table(title, "success %", "95 %", "n", "calls", "tokens", "episode p50 ms", box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        groups = grouped(results, key)
        for name, found in [
            *groups.items(),
            *([("all", list(results))] if title == "split" and len(groups) > 1 else []),
        ]:
            s = summarize(found)
            low, high = s.success.interval
            table.add_row(
                name,
                f"{100 * s.success.value:.1f}" if s.success.n else "-",
                f"{100 * low:.0f}-{100 * high:.0f}",
                str(s.success.n),
                f"{s.turns:.1f}",
                f"{s.tokens:.0f}",
                f"{s.episode_p50:.0f}",
            )
        console.print(table)
        console.print()
    for name, value in facts(summarize(results))[2:]:
        console.print(f"{name:38} {value}")
    failures = [r for r in results if not r.success and not r.infra]
    if failures:
        console.print(f"\n{len(failures)} failed; the first:")
    for r in failures[:SHOWN_FAILURES]:
        console.print(Text(f"  {r.task_id}: {safe(r.goal)}"), soft_wrap=True)
        reason = f"{r.failed_checks[0].check}: {r.failed_checks[0].detail}" if r.failed_checks else r.summary
        console.print(Text(f"    {r.status}; {safe(reason)}"[:300], style="dim"), soft_wrap=True)
