"""Gives the reader of torch checkpoints damaged files, and expects tensors or a Problem: `checkpoint.py FOLDER SECONDS SEED`.

Inputs that reach lines of scripts/weights that no earlier one reached are kept to be changed further.
"""
import io
import json
import os
import pathlib
import random
import resource
import sys
import time

PROJECT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "scripts"))
import convert_checkpoint  # noqa: E402
from weights.problem import Problem  # noqa: E402

seen = set()
NUMBERS = [0, 1, 127, 128, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1]


def trace(frame, event, _arg):
    if "/scripts/" not in frame.f_code.co_filename:
        return None
    if event == "line":
        seen.add((frame.f_code.co_filename, frame.f_lineno))
    return trace


def mutate(data, other, chance):
    for _ in range(1 + chance.randrange(4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(7)
        part = other[chance.randrange(len(other) + 1) :][: chance.randrange(64)]
        if kind == 0:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:at] + data[at + chance.randrange(32) :]
        elif kind == 2:
            data = data[:at] + part + data[at + chance.randrange(16) :]
        elif kind == 3:
            length = chance.choice([1, 2, 4, 8])
            number = chance.choice(NUMBERS) % 256**length
            data = data[:at] + number.to_bytes(length, chance.choice(["little", "big"])) + data[at + length :]
        elif kind == 4:
            data = data[:at]
        elif kind == 5:
            data = data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :] if at < len(data) else data
        else:
            data = data[:at] + data[at:][:64] * 2 + data[at + 64 :]
    return data[: 2**15]


def main(folder, seconds, seed):
    os.makedirs(folder, exist_ok=True)
    chance = random.Random(int(seed))
    inputs = [file.read_bytes() for file in sorted((PROJECT / "test/golden/checkpoints").glob("*.pth"))]
    outcome = {"tried": 0, "accepted": 0, "refused": 0, "slowestMs": 0.0, "blocks": 0, "faults": []}
    with open("/proc/self/statm") as statm:
        limit = int(statm.read().split()[0]) * resource.getpagesize() + 2**29  # as weights/limits.py, which sets it by file
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    end = time.monotonic() + float(seconds)
    first = list(inputs)
    while first or time.monotonic() < end:
        data = first.pop() if first else mutate(chance.choice(inputs[-8:] if chance.random() < 0.5 else inputs), chance.choice(inputs), chance)
        with open(os.path.join(folder, "batch"), "wb") as file:
            file.write(data)
        numSeen, start = len(seen), time.process_time()
        sys.settrace(trace)
        try:
            convert_checkpoint.read(io.BytesIO(data), len(data))
            outcome["accepted"] += 1
        except Problem:
            outcome["refused"] += 1
        except BaseException as error:
            sys.settrace(None)
            fault = f"{type(error).__name__}: {error}"[:300]
            if not any(known.startswith(fault[:60]) for known in outcome["faults"]):
                file = os.path.join(folder, f"fault-{len(outcome['faults'])}")
                pathlib.Path(file).write_bytes(data)
                outcome["faults"].append(f"{fault} ({file})")
        finally:
            sys.settrace(None)
        ms = 1000 * (time.process_time() - start)
        outcome["tried"] += 1
        if outcome["tried"] % 100 == 0:
            print(flush=True)  # a sign of life
        outcome["slowestMs"] = max(outcome["slowestMs"], ms)
        if ms > 5000:
            file = os.path.join(folder, f"fault-{len(outcome['faults'])}")
            pathlib.Path(file).write_bytes(data)
            outcome["faults"].append(f"takes {ms:.0f} ms ({file})")
        if len(seen) > numSeen:
            inputs.append(data)
    outcome["blocks"] = len(seen)
    print(json.dumps(outcome))


main(*sys.argv[1:])
