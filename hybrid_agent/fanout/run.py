"""The one entry: do something with every item, over worker processes of this machine or of a Ray cluster."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable, Iterator, Sequence

from hybrid_agent.config.fanout import FanoutConfig
from hybrid_agent.fanout.dispatch import Dispatch, no_result
from hybrid_agent.fanout.local import LocalWorkers
from hybrid_agent.fanout.work import Item, Outcome, Start, Value, Workers


def fan_out(
    items: Sequence[Item],
    start: Start[Item, Value],
    config: FanoutConfig,
    *,
    again: Callable[[Value], bool] = no_result,
    said: Callable[[str], None] = lambda line: None,
) -> Iterator[Outcome[Item, Value]]:
    """Outcomes as they come, in any order (`in_order` sorts them). Closing the iterator, or Ctrl-C, ends the workers.

    An item whose worker dies is tried again on another one; one that outlives no worker is lost, which its outcome
    says. With one local worker the work is done in this process: nothing to start, and a debugger works.

    An item may be begun more than once and on two workers at a time: what it writes has to be complete or not there,
    and its result may depend on nothing but the item.

    Args:
        items: what is to be done; picklable.
        start: prepares a worker; picklable.
        config: over what.
        again: whether a result is none because the machinery failed: the item is tried again, `config.retries` times
            at most, and then its last result counts.
        said: takes a line for people when a worker dies or an item takes long.

    Raises:
        InputError: Ray is not installed, or its cluster cannot be used.
        Exception: whatever `start` or the work on an item raises.
    """
    if not items:
        return
    count = min(config.workers or len(os.sched_getaffinity(0)), len(items))
    if config.kind == "local" and count == 1:
        yield from _here(items, start, config, again)
        return
    pickled = pickle.dumps(start)
    workers: Workers
    if config.kind == "ray":
        from hybrid_agent.fanout.cluster import RayWorkers

        workers = RayWorkers(pickled, config, len(items))
        count = workers.count
    else:
        workers = LocalWorkers(pickled)
    try:
        yield from Dispatch(items, workers, count, config, again, said).outcomes()
    finally:
        workers.close()


def in_order(outcomes: Iterator[Outcome[Item, Value]]) -> Iterator[Outcome[Item, Value]]:
    """In the order of the items: each is held back until all before it are there."""
    held: dict[int, Outcome[Item, Value]] = {}
    following = 0
    for outcome in outcomes:
        held[outcome.at] = outcome
        while following in held:
            yield held.pop(following)
            following += 1


def _here(
    items: Sequence[Item], start: Start[Item, Value], config: FanoutConfig, again: Callable[[Value], bool]
) -> Iterator[Outcome[Item, Value]]:
    place = f"{socket.gethostname()}:{os.getpid()}"
    with start() as do:
        for at, item in enumerate(items):
            tries, value = 1, do(item)
            while again(value) and tries <= config.retries:
                tries, value = tries + 1, do(item)
            yield Outcome(at, item, value, None, tries, place)
