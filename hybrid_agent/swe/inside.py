"""Runs the tests of a repository and says what happened, test by test. Its source is sent into the sandbox.

Standard library only, Python 3.8 and newer. Reads one JSON request on stdin (see `testing.Request`) and writes JSON
lines, each behind the request's nonce, to what was stdout; what tests print goes to stderr.
"""

# A script of its own, sent into the sandbox; old Pythons run it, so no newer syntax.
# ruff: noqa: PTH100, PTH109, PTH120, SIM115
# mypy: ignore-errors
import json
import os
import runpy
import signal
import sys
import threading
import time

GIVEN = {}
OUT = [1]
ROOT = os.getcwd()
STOP = {"why": None}
NO_TESTS = 5


class TestTimeout(BaseException):
    """A test ran too long; not an Exception, so that `except Exception` does not swallow it."""


def say(record):
    """One line for the harness."""
    data = (GIVEN["nonce"] + json.dumps(record) + "\n").encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(OUT[0], data) :]


def relative(path):
    """Path inside the repository, or None."""
    if path.startswith("<"):
        return None
    path = os.path.abspath(path)
    if not path.startswith(ROOT + os.sep) or os.sep + "site-packages" + os.sep in path:
        return None
    return path[len(ROOT) + 1 :]


def alarm(seconds):
    """Raise TestTimeout here after so many seconds, and again until it is switched off (0)."""
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0 if seconds else 0)


def on_alarm(number, frame):
    raise TestTimeout("took too long")


def describe(kind, value, trace):
    """What is told of an exception: type, message, and the frames that lie in the repository, outermost first."""
    chain, seen = [], set()
    while value is not None and id(value) not in seen and len(chain) < 4:
        seen.add(id(value))
        frames = []
        at = trace if not chain else value.__traceback__
        count = 0
        while at is not None and count < 2000:
            name = relative(at.tb_frame.f_code.co_filename)
            if name is not None:
                frames.append([name, at.tb_lineno, at.tb_frame.f_code.co_name])
            at = at.tb_next
            count += 1
        if isinstance(value, SyntaxError) and value.filename and relative(value.filename):
            frames.append([relative(value.filename), value.lineno or 1, "<syntax>"])
        try:
            message = str(value)
        except Exception:
            message = ""
        if len(message) > 1500:
            message = message[:400] + " ... " + message[-1000:]
        chain.append([type(value).__name__, message, frames[:15] + frames[-15:] if len(frames) > 30 else frames])
        value = value.__cause__ or value.__context__
    frames = [frame for link in reversed(chain) for frame in link[2]]
    shown = chain[1] if chain[0][0] == "CollectError" and len(chain) > 1 else chain[0]
    return {"type": shown[0], "message": shown[1], "frames": frames[-40:]}


class Tracer:
    """Which lines of the repository run while it is on."""

    def __init__(self, events):
        self.most = events
        self.known = {}

    def start(self, name):
        self.hits, self.left = {}, self.most
        threading.settrace(self.on_call)
        sys.settrace(self.on_call)

    def stop(self):
        sys.settrace(None)
        threading.settrace(None)
        lines = {}
        for code, found in self.hits.items():
            lines.setdefault(self.known[code], set()).update(found)
        return {name: sorted(found) for name, found in lines.items()}

    def on_call(self, frame, event, arg):
        code = frame.f_code
        name = self.known.get(code, 0)
        if name == 0:
            name = self.known[code] = relative(code.co_filename)
        if name is None or self.left < 0:
            return None
        hits = self.hits.get(code)
        if hits is None:
            hits = self.hits[code] = set()
        hits.add(frame.f_lineno)

        def on_line(frame, event, arg, add=hits.add):
            if event == "line":
                add(frame.f_lineno)
                self.left -= 1
                if self.left < 0:
                    return None
            return on_line

        return on_line


class Session:
    """What both runners share: order, time limits, tracing, records, and when to stop."""

    def __init__(self):
        self.must = set(GIVEN["must"]) if GIVEN["must"] is not None else None
        self.rank = {name: place for place, name in enumerate(GIVEN["first"])}
        self.only = set(GIVEN["only"]) if GIVEN["only"] is not None else None
        self.tracer = Tracer(GIVEN["events"]) if GIVEN["trace"] else None
        if GIVEN.get("probes"):  # see inside_probes.py
            self.tracer = Prober(GIVEN["probes"], GIVEN["first"], relative, GIVEN["probe_s"])  # noqa: F821
        self.goal = set(GIVEN["goal"])
        self.waiting = set(self.goal)
        self.missed = None
        self.worst = {}

    def arrange(self, tests, name):
        """The chosen tests in order, the wanted first."""
        if self.only is not None:
            tests = [test for test in tests if name(test) in self.only]
        tests = sorted(tests, key=lambda test: self.rank.get(name(test), len(self.rank)))
        names = [name(test) for test in tests]
        say({"collected": names if self.must is None else []})
        return tests

    def begin(self, name):
        say({"start": name})
        self.worst[name] = None
        self.at = time.monotonic()
        alarm(GIVEN["per_test_s"])
        if self.tracer:
            self.tracer.start(name)

    def note(self, name, outcome, error=None):
        """A part of a test ended; the worst part counts."""
        order = ["skipped", "passed", "failed", "error", "timeout"]
        old = self.worst.get(name)
        if old is None or order.index(outcome) > order.index(old[0]):
            self.worst[name] = (outcome, error)

    def end(self, name):
        """True when the run should stop."""
        lines = self.tracer.stop() if self.tracer else None
        alarm(0)
        outcome, error = self.worst.pop(name, None) or ("passed", None)
        record = {"test": name, "outcome": outcome, "ms": round((time.monotonic() - self.at) * 1000)}
        if error:
            record["error"] = error
        if lines is not None:
            record["probes" if GIVEN.get("probes") else "lines"] = lines
        say(record)
        return self.enough(name, outcome)

    def enough(self, name, outcome):
        """True when the answer is known: a test broke, or all wanted tests ran and not all are good.

        The wanted tests come first and all of them run, so that a partial success is seen; one that hangs ends it.
        """
        good = outcome in ("passed", "skipped")
        self.waiting.discard(name)
        if not good and name in self.goal and outcome != "timeout":
            self.missed = name
        elif not good and (GIVEN["strict"] or (self.must is not None and name in self.must)):
            STOP["why"] = name
            return True
        if self.missed and not self.waiting:
            STOP["why"] = self.missed
            return True
        return False


def outcome_of(kind, failure):
    if issubclass(kind, TestTimeout):
        return "timeout"
    return "failed" if failure else "error"


def run_pytest(args):
    import pytest

    session = Session()

    class Plugin:
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items):
            alarm(0)
            items[:] = session.arrange(items, lambda item: item.nodeid)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_make_collect_report(self, collector):
            alarm(GIVEN["collect_s"])
            yield
            alarm(0)

        def pytest_collectreport(self, report):
            if report.failed:
                self.collect_error(report)

        def collect_error(self, report):
            error = errors.get(report.nodeid) or {
                "type": "CollectError",
                "message": str(report.longrepr)[-600:],
                "frames": [],
            }
            outcome = "timeout" if error["type"] == "TestTimeout" else "error"
            say({"test": report.nodeid, "outcome": outcome, "ms": 0, "error": error, "collecting": True})
            if GIVEN["strict"] or session.must is not None:
                STOP["why"] = report.nodeid
                pytest.exit("stopped", 1)

        def pytest_exception_interact(self, node, call, report):
            if call.excinfo is not None:
                error = describe(call.excinfo.type, call.excinfo.value, call.excinfo.tb)
                if call.when == "collect" or not hasattr(call, "when"):
                    errors[report.nodeid] = error

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_protocol(self, item, nextitem):
            session.begin(item.nodeid)
            yield
            if session.end(item.nodeid):
                item.session.shouldstop = "stopped"

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_makereport(self, item, call):
            if call.excinfo is not None and call.excinfo.errisinstance(TestTimeout):
                alarm(5)
            answer = yield
            report = answer.get_result()
            if report.failed:
                error = describe(call.excinfo.type, call.excinfo.value, call.excinfo.tb) if call.excinfo else None
                kind = call.excinfo.type if call.excinfo else Exception
                session.note(item.nodeid, outcome_of(kind, call.when == "call"), error)
            else:
                session.note(item.nodeid, "skipped" if report.skipped else "passed")

    errors = {}
    status = int(
        pytest.main(
            [*args, "-p", "no:cacheprovider", "--maxfail=0", "--continue-on-collection-errors"], plugins=[Plugin()]
        )
    )
    return status


def run_unittest(args):
    import unittest

    session = Session()

    class Result(unittest.TestResult):
        def startTest(self, test):
            super().startTest(test)
            session.begin(test.id())

        def stopTest(self, test):
            super().stopTest(test)
            if session.end(test.id()):
                self.stop()

        def addError(self, test, err):
            super().addError(test, err)
            alarm(5)
            if not hasattr(test, "_testMethodName"):  # a class's or module's own set-up
                say({"test": test.id(), "outcome": outcome_of(err[0], False), "ms": 0, "error": describe(*err)})
                if session.must is not None:
                    STOP["why"] = test.id()
                    self.stop()
                return
            session.note(test.id(), outcome_of(err[0], False), describe(*err))

        def addFailure(self, test, err):
            super().addFailure(test, err)
            session.note(test.id(), "failed", describe(*err))

        def addSubTest(self, test, subtest, err):
            super().addSubTest(test, subtest, err)
            if err is not None:
                session.note(test.id(), outcome_of(err[0], issubclass(err[0], test.failureException)), describe(*err))

        def addSkip(self, test, reason):
            super().addSkip(test, reason)
            session.note(test.id(), "skipped")

        def addUnexpectedSuccess(self, test):
            super().addUnexpectedSuccess(test)
            session.note(test.id(), "failed", {"type": "UnexpectedSuccess", "message": "", "frames": []})

    def flat(suite):
        for each in suite:
            if isinstance(each, unittest.TestSuite):
                yield from flat(each)
            else:
                yield each

    class Runner:
        def __init__(self, *args, **kwargs):
            pass

        def run(self, suite):
            alarm(0)
            tests = session.arrange(list(flat(suite)), lambda test: test.id())
            result = Result()
            unittest.TestSuite(tests).run(result)
            return result

    alarm(GIVEN["collect_s"])
    ran = unittest.main(module=None, argv=["python -m unittest", *args], testRunner=Runner, exit=False)
    if not ran.result.testsRun:
        return NO_TESTS
    return 0 if ran.result.wasSuccessful() else 1


def run_script(args):
    session = Session()
    name = "command"
    say({"collected": [name]})
    session.begin(name)
    status = 0
    try:
        sys.argv = args[1:] if args[0] == "-m" else args
        sys.path.insert(0, ROOT if args[0] == "-m" else os.path.dirname(os.path.abspath(args[0])))
        if args[0] == "-m":
            runpy.run_module(args[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(args[0], run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if status:
            session.note(name, "failed", {"type": "SystemExit", "message": str(end.code)[:600], "frames": []})
    except BaseException as error:
        session.note(
            name,
            outcome_of(type(error), isinstance(error, AssertionError)),
            describe(type(error), error, error.__traceback__),
        )
        status = 1
    session.end(name)
    return status


def main():
    """Run what is asked for."""
    GIVEN.update(json.loads(sys.stdin.buffer.read().decode()))
    OUT[0] = os.dup(1)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    sys.stdin = open(0, closefd=False)
    sys.dont_write_bytecode = True
    sys.path[:] = [ROOT, *(path for path in sys.path if path not in ("", ROOT))]
    signal.signal(signal.SIGALRM, on_alarm)
    alarm(GIVEN["collect_s"])
    runner = {"pytest": run_pytest, "unittest": run_unittest, "script": run_script}[GIVEN["kind"]]
    try:
        status = runner(GIVEN["args"])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except ImportError as error:
        if error.name not in ("pytest", "_pytest"):
            raise
        say({"end": 127, "why": "pytest is not installed for this interpreter"})
        os._exit(0)
    except BaseException as error:
        say(
            {
                "test": "collection",
                "outcome": outcome_of(type(error), False),
                "ms": 0,
                "collecting": True,
                "error": describe(type(error), error, error.__traceback__),
            }
        )
        status = 1
    alarm(0)
    say({"end": int(status), "why": STOP["why"]})
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
