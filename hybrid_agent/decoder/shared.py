"""A segment engine whose texts are written in the batch of many callers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hybrid_agent.constrain.matcher import Matcher
from hybrid_agent.decoder.engine import SegmentEngine, Watch
from hybrid_agent.decoder.job import Done, Ended, Failed, Job, Partial
from hybrid_agent.decoder.kv import Bias, KVModel
from hybrid_agent.decoder.live import current_live
from hybrid_agent.decoder.loop import BatchLoop
from hybrid_agent.decoder.row import Draft, Sampling
from hybrid_agent.decoder.speculate import Shift, Speculator


class SharedEngine(SegmentEngine):
    """One caller's view of a batch; as many as one likes may be used at once, each by one thread.

    Args:
        loop: writes.
        model: whose segments these are; one that the loop's pool can adopt.
    """

    def __init__(self, loop: BatchLoop, model: KVModel) -> None:
        super().__init__(model, loop.end_id)
        self._loop, self._adopted = loop, loop.pool.adopt(model)

    def write(
        self,
        prompt: Sequence[int],
        how: Sampling,
        constraint: Callable[[], Matcher] | None = None,
        bias: Bias | None = None,
        watch: Watch | None = None,
        shift: Shift | None = None,
        speculator: Speculator | None = None,
    ) -> list[Draft]:
        """See `SegmentEngine.write`; `constraint` and `bias` are called in the loop's thread, `watch` in this one.

        There is no speculation: other callers' rows use what a guess would.

        Raises:
            ValueError: the prompt leaves no room in the context.
            InputError: more candidates than rows.
            Overloaded: too many callers are waiting.
            Abandoned: whoever looks on (`decoder.live`) does not want the rest.
            InfraError: the decoder was closed.
        """
        live = current_live()
        job = Job(list(prompt), how, self.model, self._adopted, constraint, bias, shift, live, told=watch is not None)
        self._loop.submit(job)
        return self._result(job, watch).drafts

    def go_on(
        self,
        prompt: Sequence[int],
        how: Sampling,
        begun: Sequence[Draft],
        constraint: Callable[[], Matcher],
        bias: Bias | None = None,
        watch: Watch | None = None,
        shift: Shift | None = None,
    ) -> list[Draft]:
        """See `SegmentEngine.go_on`, and `write` for what may be raised."""
        job = Job(
            list(prompt),
            replace(how, k=len(begun)),
            self.model,
            self._adopted,
            constraint,
            bias,
            shift,
            current_live(),
            told=watch is not None,
            start=tuple(begun),
        )
        self._loop.submit(job)
        return self._result(job, watch).drafts

    def after(self, text: Sequence[int]) -> NDArray[np.float32]:
        """See `SegmentEngine.after`."""
        job = Job(list(text), Sampling(), self.model, self._adopted, only_logits=True)
        self._loop.submit(job)
        logits = self._result(job, None).logits
        assert logits is not None
        return logits

    def forget(self) -> None:
        """Drop the cached rows that nobody uses, of all callers."""
        self._loop.forget()

    def _result(self, job: Job, watch: Watch | None) -> Done:
        """Wait for a job's end, and tell of what comes before."""
        try:
            while True:
                event = job.mailbox.get()
                if isinstance(event, Partial):
                    if job.live is not None:
                        job.live.tell(event.number, event.tokens)
                elif isinstance(event, Ended):
                    self._loop.answer(job, _told(event.drafts, watch))
                elif isinstance(event, Failed):
                    raise event.error
                else:
                    _told(event.ended, watch)
                    self.spent = event.spent
                    return event
        except BaseException:  # also of `watch`: the rows are given up
            self._loop.abandon(job)
            raise


def _told(drafts: Sequence[tuple[int, Draft]], watch: Watch | None) -> bool:
    return any([watch is not None and watch(number, draft) for number, draft in drafts])  # all of them
