"""Events of a run as server-sent events, from any point on, for as long as the run goes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from sse_starlette import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from services.gateway.journal import Journal, Reader


async def follow(journal: Journal, after: int, going: Callable[[], bool]) -> AsyncIterator[ServerSentEvent]:
    """The events after number `after`: those on disk, then each new one, until the run is at rest."""
    reader = Reader(journal.path, after)
    with journal.watched() as news:
        while True:
            news.clear()
            more = going()  # asked before reading: the last event is on disk when a run stops going
            for number, line in await run_in_threadpool(reader.read):
                yield ServerSentEvent(data=line, id=str(number))
            if not more:
                return
            await news.wait()
