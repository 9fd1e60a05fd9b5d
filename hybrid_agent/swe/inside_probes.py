"""Evaluates pieces of candidate edits in the states that tests reach. Its source is sent in before `inside.py`.

Standard library only, Python 3.8 and newer. At each line that has probes the process forks; the child evaluates them
in the frame's state and tells by a pipe; the test itself goes on in the parent as if nothing had been.
"""

# Sent into the sandbox with inside.py; old Pythons run it.
# ruff: noqa: SIM105, B905
# mypy: ignore-errors
import copy
import os
import select
import signal
import sys
import threading
import time
import types
import zlib

SAME, DIFFERS, RAISES = 0, 1, 2
CHANGES = ("add", "append", "clear", "close", "consume", "del", "discard", "drop", "extend", "heap", "insert", "move",
           "next", "pop", "push", "put", "read", "register", "release", "remove", "reserve", "send", "set", "shrink",
           "sort", "store", "take", "unite", "update", "write")  # fmt: skip
PLAIN = (int, float, complex, str, bytes, bool, type(None), type, range, types.FunctionType, types.BuiltinFunctionType)
SLIPS = ("TypeError", "AttributeError", "NameError", "UnboundLocalError")  # of an edit that does not fit its place
CHILD_S = 1.0
STATES = 16  # different states of one line that are looked at in one failing test; a quarter of it in others
EFFECTS = 12  # of these, in how many statements are carried out as well


def freeze(value, depth=5, left=None):
    """A value as nested tuples that can be compared; what cannot be looked into counts by its type."""
    left = left if left is not None else [3000]
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        return "..."
    kind = type(value)
    if kind in PLAIN or isinstance(value, PLAIN):
        return (kind.__name__, repr(value)[:300] if not isinstance(value, types.FunctionType) else value.__qualname__)
    if isinstance(value, dict):
        pairs = tuple((freeze(k, depth - 1, left), freeze(v, depth - 1, left)) for k, v in list(value.items()))
        return (kind.__name__, pairs, freeze_fields(value, depth, left))
    if isinstance(value, (list, tuple)) or kind.__name__ in ("deque", "dict_keys", "dict_values", "dict_items"):
        return (kind.__name__, tuple(freeze(each, depth - 1, left) for each in list(value)))
    if isinstance(value, (set, frozenset)):
        return (kind.__name__, tuple(sorted(repr(freeze(each, depth - 1, left)) for each in value)))
    if isinstance(value, types.GeneratorType):
        return (kind.__name__,)
    if isinstance(value, BaseException):
        return (kind.__name__, str(value)[:200])
    fields = freeze_fields(value, depth, left)
    if fields is None:
        try:
            return (kind.__name__, repr(value)[:200]) if kind.__repr__ is not object.__repr__ else (kind.__name__,)
        except Exception:
            return (kind.__name__,)
    return (kind.__name__, fields)


def freeze_fields(value, depth, left):
    """Attributes of an object, or None if it has none that can be read."""
    found = getattr(value, "__dict__", None)
    if not isinstance(found, dict):
        slots = [name for owner in type(value).__mro__ for name in getattr(owner, "__slots__", ())]
        if not slots or not all(isinstance(name, str) for name in slots):
            return None
        found = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    return tuple((name, freeze(each, depth - 1, left)) for name, each in sorted(found.items()))


def first_worth(code, space, local):
    """What the unchanged expression gives, and whether evaluating it changes what can be seen from here."""
    try:
        copied = space(True)
    except Exception:  # something that cannot be copied
        return False, worth(code, space(False))
    before = seen_state(copied, local)
    raised, value = worth(code, copied, local)
    changes = changing(code) or raised or value[1] != before
    return changes, (raised, value if raised or changes else value[0])


def seen_state(space, local):
    """The values of a frame's own names."""
    return freeze({name: space[name] for name in local if name in space})


def worth(code, space, local=None):
    """What an expression gives, or the exception that it raises; generators are run for a while.

    With the names of a frame, the state after it as well.
    """
    try:
        value = eval(code, space)  # noqa: S307  (inside the sandbox, as tests are)
        if isinstance(value, types.GeneratorType):
            value = [each for each, _ in zip(value, range(200))]
        return False, freeze(value) if local is None else (freeze(value), seen_state(space, local))
    except Exception as error:
        return True, type(error).__name__


def effect(first, then, space, local):
    """What a statement changes that can be seen from here."""
    names = set(local)
    try:
        if first is not None:
            exec(first, space)  # noqa: S102
        before = freeze({k: v for k, v in space.items() if k in names})
    except Exception:
        return None, None
    try:
        exec(then, space)  # noqa: S102
    except Exception as error:
        return RAISES, type(error).__name__
    after = freeze({k: v for k, v in space.items() if k in names})
    return (DIFFERS if after != before else SAME), after


class Prober:
    """Takes the place of the tracer: lines of candidates, and what their probes say in each test."""

    def __init__(self, probes, goal, root_of, seconds):
        self.wanted, self.goal, self.root_of = {}, set(goal), root_of
        self.seconds = seconds
        self.spent = {True: 0.0, False: 0.0}
        self.seen_good, self.useful = set(), set()
        for number, path, line, kind, old, new in probes:
            try:
                codes = [
                    compile(t, "<probe>", "exec" if kind in ("effect", "both") else "eval") if t else None
                    for t in (old, new)
                ]
            except (SyntaxError, ValueError):
                continue
            self.wanted.setdefault((path, line), []).append((number, kind, *codes))
        self.paths = {path for path, _ in self.wanted}
        self.known = {}

    def start(self, name):
        self.failing = name in self.goal
        # A state that one passing test reached need not be looked at in others; each failing test counts alone.
        self.seen = set() if self.failing else self.seen_good
        self.found, self.counts, self.cut = {}, {}, set()
        threading.settrace(self.on_call)
        sys.settrace(self.on_call)

    def stop(self):
        sys.settrace(None)
        threading.settrace(None)
        parts = {number for place in self.cut for number, *_ in self.wanted[place]}
        return [[number, *counts, int(number in parts)] for number, counts in self.found.items()]

    def on_call(self, frame, event, arg):
        code = frame.f_code
        name = self.known.get(code, 0)
        if name == 0:
            name = self.root_of(code.co_filename)
            name = self.known[code] = name if name in self.paths and not code.co_name.startswith("<") else None
        if name is None:
            return None

        def on_line(frame, event, arg):
            if event == "line" and (name, frame.f_lineno) in self.wanted:
                self.look(name, frame)
            return on_line

        return on_line

    def look(self, name, frame):
        place = (name, frame.f_lineno)
        count = self.counts.get(place, 0)
        most = STATES if self.failing else STATES // 4
        if count >= most or self.spent[self.failing] > self.seconds / 2:
            self.cut.add(place)
            return
        sys.settrace(None)
        left, again = signal.setitimer(signal.ITIMER_REAL, 0)  # looking does not count as the test's own time
        began = children_s()
        try:
            state = hash((place, repr(freeze(dict(frame.f_locals)))))
            if state not in self.seen:
                self.seen.add(state)
                self.counts[place] = count + 1
                self.ask(place, frame)
        except Exception:
            self.cut.add(place)
        finally:
            self.spent[self.failing] += children_s() - began
            if left:
                signal.setitimer(signal.ITIMER_REAL, left, again)
            sys.settrace(self.on_call)

    def ask(self, place, frame):
        """Fork; the child evaluates, the parent adds up what it tells."""
        outer, local = frame.f_globals, dict(frame.f_locals)
        wanted = self.wanted[place]
        if not self.failing:  # what changes nothing in failing tests is of no use, whatever it does in others
            wanted = [each for each in wanted if each[0] in self.useful]
            if not wanted:
                return
        heavy = self.counts[place] <= (EFFECTS if self.failing else 1)
        if not heavy and any(kind in ("effect", "both") for _, kind, _, _ in wanted):
            self.cut.add(place)
        for number, answer, value in told_by_child(lambda write: evaluate(wanted, outer, local, write, heavy), CHILD_S):
            counts = self.found.setdefault(number, [0, 0, 0, 0])
            counts[answer] += 1
            if answer != SAME and self.failing:
                self.useful.add(number)
            counts[3] = zlib.crc32(b"%d %d" % (counts[3], value))


def evaluate(probes, outer, local, write, heavy):
    """In the child: every probe of one line in one state; statements are carried out only if `heavy`."""
    olds = {}
    alone = {id(each): each for each in outer.values() if not isinstance(each, (dict, list, set))}  # such as markers
    copy._deepcopy_dispatch[object] = lambda each, memo: each

    def space(changes):
        """Names of the frame; copies of its values if what is evaluated may change them."""
        return {**outer, **(copy.deepcopy(local, dict(alone)) if changes else local)}

    for number, kind, old, new in probes:
        answer = value = None
        try:
            if kind == "value":
                if old not in olds:
                    olds[old] = first_worth(old, space, local)
                changes, before = olds[old]
                raised, value = worth(new, space(changes or changing(new)), local if changes else None)
                slipped = raised and (not before[0] or value in SLIPS)
                answer = SAME if (raised, value) == before else RAISES if slipped else DIFFERS
            elif kind == "truth":
                raised, value = worth(new, space(changing(new)))
                answer = RAISES if raised else DIFFERS if value == ("bool", "True") else SAME
            elif kind == "effect" and heavy:
                answer, value = effect(old, new, space(True), local)
            elif heavy:
                if old not in olds:
                    olds[old] = effect(None, old, space(True), local)
                answer, value = effect(None, new, space(True), local)
                slipped = answer == RAISES and (olds[old][0] != RAISES or value in SLIPS)
                answer = SAME if value == olds[old][1] else RAISES if slipped else DIFFERS
        except Exception:
            continue
        if answer is not None:
            write(number, answer, zlib.crc32(repr(value).encode("utf-8", "replace")))


def changing(code):
    """True when an expression calls something whose name says that it changes an object."""
    return any(name.lstrip("_").startswith(CHANGES) for name in code.co_names)


def children_s():
    """Processor time of children that have ended; a busy machine does not change what is found."""
    used = os.times()
    return used.children_user + used.children_system


def told_by_child(work, seconds):
    """Run `work` in a forked child; the pairs of numbers that it wrote until it ended or the time was up."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            os.close(reader)
            null = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(null, number)

            def write(*numbers):
                os.write(writer, b"%d %d %d\n" % numbers)

            work(write)
        finally:
            os._exit(0)
    os.close(writer)
    parts, ends = [], time.monotonic() + 10 * seconds
    try:
        while time.monotonic() < ends:
            if not select.select([reader], [], [], max(0, ends - time.monotonic()))[0]:
                break
            part = os.read(reader, 65536)
            if not part:
                break
            parts.append(part)
    finally:
        os.close(reader)
        try:
            os.kill(child, signal.SIGKILL)
        except OSError:
            pass
        os.waitpid(child, 0)
    rows = b"".join(parts).decode().split("\n")[:-1]
    return [tuple(map(int, row.split())) for row in rows]
