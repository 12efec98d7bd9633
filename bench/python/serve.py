"""The loop of every Python worker: answers JSON lines with JSON lines, and times what it prepared."""
import inspect
import itertools
import json
import os
import re
import sys
import time
import traceback


def serve(prepare, **commands):
    """Answers commands until standard input ends.

    prepare(**workload) returns a function that does one step. A command that is a generator yields events and returns its
    result. Whatever libraries print goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sessions = Sessions(prepare)
    commands = {"prepare": sessions.prepare, "time": sessions.time, "release": sessions.release, **commands}

    def answer(**message):
        answers.write(json.dumps(message, allow_nan=False) + "\n")

    for line in sys.stdin:
        request = json.loads(line)
        try:
            arguments = {_snake_case(name): value for name, value in request["arguments"].items()}
            result = commands[request["command"]](**arguments)
            if inspect.isgenerator(result):
                result = _send_events(result, answer)
            answer(result=result)
        except Exception:
            answer(error=traceback.format_exc())


class Sessions:
    """Prepared steps, by number."""

    def __init__(self, prepare):
        self._prepare = prepare
        self._steps = {}
        self._numbers = itertools.count(1)

    def prepare(self, **workload):
        session = next(self._numbers)
        self._steps[session] = self._prepare(**workload)
        return session

    def time(self, session, seconds, min_steps):
        """Runs at least min_steps steps, for at least that many seconds."""
        step = self._steps[session]
        start = time.perf_counter()
        for num_steps in itertools.count(1):
            step()
            passed = time.perf_counter() - start
            if passed >= seconds and num_steps >= min_steps:
                return {"steps": num_steps, "seconds": passed}

    def release(self, session):
        del self._steps[session]


def _send_events(generator, answer):
    while True:
        try:
            answer(event=next(generator))
        except StopIteration as end:
            return end.value


def _snake_case(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
