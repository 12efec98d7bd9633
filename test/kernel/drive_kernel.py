"""
Runs cells in a kernel through Jupyter's protocol and prints what came back, as JSON.

Takes one argument, JSON: {"kernel": name, "cwd": path, "cells": [{"code": text, "interruptAt": text or null}],
"patience": seconds without a message after which a cell counts as silent}. A cell is interrupted once it has printed
`interruptAt`. Prints for each cell {"status", "messages": [{"type", "content"}], "isIdle"}; all cells are run, whatever fails.
"""

import json
import queue
import subprocess
import sys
import time

from jupyter_client import KernelManager


def run_cell(manager, client, code, interrupt_at, patience):
    request = client.execute(code)
    messages, printed, is_idle = [], "", False
    while not is_idle:
        try:
            message = client.get_iopub_msg(timeout=patience)
        except queue.Empty:
            break
        if message["parent_header"].get("msg_id") != request:
            continue
        kind, content = message["msg_type"], message["content"]
        messages.append({"type": kind, "content": content})
        is_idle = kind == "status" and content["execution_state"] == "idle"
        if kind == "stream":
            printed += content["text"]
        if interrupt_at and interrupt_at in printed:
            interrupt_at = None
            manager.interrupt_kernel()
    return {"status": status_of(client, request, patience), "messages": messages, "isIdle": is_idle}


def status_of(client, request, patience):
    """Of the reply on the other channel; null where none comes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            reply = client.get_shell_msg(timeout=max(0.1, end - time.monotonic()))
        except queue.Empty:
            return None
        if reply["parent_header"].get("msg_id") == request:
            return reply["content"]["status"]
    return None


def main():
    job = json.loads(sys.argv[1])
    manager = KernelManager(kernel_name=job["kernel"])
    manager.start_kernel(cwd=job["cwd"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        results = []
        for cell in job["cells"]:
            results.append(run_cell(manager, client, cell["code"], cell.get("interruptAt"), job["patience"]))
            time.sleep(0.3)  # tslab skips what comes right after a failure
        print(json.dumps(results))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
