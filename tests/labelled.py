"""Labelled contexts made by hand."""

import json

from hybrid_agent.traces.contexts import Candidate, Context
from hybrid_agent.types import Segment, Verdict


def labelled(i, rng, window, calls):
    """A context of an os task: the first of the calls passes, the others fail, two count as the decoder's own."""
    made = tuple(
        Candidate(
            segment=Segment(text=json.dumps(c, separators=(",", ":")), logprob=-rng.random(), tokens=9),
            label="plausible_fail" if k else "pass",
            stratum="sampled" if k < 2 else "near_miss",
            verdict=Verdict(allow=True),
        )
        for k, c in enumerate(calls)
    )
    ids = {"id": str(i), "task_id": str(i), "group": str(i), "pack": "os", "intents": (), "domain": "editor"}
    return Context(window=window, candidates=made, **ids)
