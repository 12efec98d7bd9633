"""Reads a checkpoint damaged in about 4000 ways, cut short or with a changed byte; prints how many were refused and how many read.

    damaged_checkpoints.py FOLDER_OF_THE_PROGRAM CHECKPOINT
"""
import io
import json
import sys
from pathlib import Path

folder, checkpoint = sys.argv[1:]
sys.path.insert(0, folder)
import convert_checkpoint  # noqa: E402

whole = Path(checkpoint).read_bytes()
damaged = [whole[:length] for length in range(len(whole))]
for index in range(len(whole)):
    damaged += [whole[:index] + bytes([byte]) + whole[index + 1 :] for byte in (0, 255, *b"().NRQte}]")]
damaged = damaged[:: max(1, len(damaged) // 4000)]
counts = {"refused": 0, "read": 0}
for content in damaged:
    try:
        convert_checkpoint.read(io.BytesIO(content), len(content))
        counts["read"] += 1
    except convert_checkpoint.Problem:
        counts["refused"] += 1
print(json.dumps(counts))
