"""Unpacks chosen parts of a wheel: unpack.py WHEEL TARGET PREFIX=DESTINATION...

A member whose path starts with PREFIX goes to DESTINATION plus the rest of its path. Prints bytes done and in all.
"""

import os
import shutil
import sys
import zipfile


def main(wheel, target, *rules):
    pairs = [rule.split("=", 1) for rule in rules]
    with zipfile.ZipFile(wheel) as archive:
        chosen = []
        for member in archive.infolist():
            pair = next((p for p in pairs if member.filename.startswith(p[0])), None)
            if pair is not None and not member.is_dir():
                chosen.append((member, os.path.join(target, pair[1] + member.filename[len(pair[0]) :])))
        for prefix, _ in pairs:
            if not any(member.filename.startswith(prefix) for member, _ in chosen):
                sys.exit(f"{wheel} has no {prefix}")
        total = sum(member.file_size for member, _ in chosen)
        done = 0
        shown = -1
        for member, path in chosen:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(member) as source, open(path, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            done += member.file_size
            if done * 20 // max(total, 1) != shown:
                shown = done * 20 // max(total, 1)
                print(f"{done} {total}", flush=True)


main(*sys.argv[1:])
