"""
Stops cells of a kernel at given moments and prints what came back, as JSON.

Takes one argument, JSON: {"cwd": path, "steps": [[verb, value], …], "patience": seconds}. The verbs: "send" sends a cell, "sleep" waits
that many seconds, "printed" waits until some cell has printed the text, "stop" signals the kernel, "stop by message" asks on the control
channel, and "replies" waits until each cell sent so far has a reply and is idle. Prints for each cell {"statuses", "printed", "errors"},
where statuses are those of all its replies: it should have one.
"""

import json
import queue
import sys
import time

from started_kernel import started_kernel


class Conversation:
    def __init__(self, manager, client, patience):
        self.manager, self.client, self.patience = manager, client, patience
        self.cells, self.idle = {}, set()

    def take(self, verb, value):
        if verb == "send":
            self.cells[self.client.execute(value)] = {"statuses": [], "printed": "", "errors": []}
        elif verb == "sleep":
            self.read_until(time.monotonic() + value, lambda: False)
        elif verb == "printed":
            self.wait(lambda: any(value in cell["printed"] for cell in self.cells.values()))
        elif verb == "stop":
            self.manager.interrupt_kernel()
        elif verb == "stop by message":
            self.client.control_channel.send(self.client.session.msg("interrupt_request", {}))
        elif verb == "replies":
            self.wait(lambda: all(cell["statuses"] and key in self.idle for key, cell in self.cells.items()))
        else:
            raise ValueError(verb)

    def wait(self, is_done):
        self.read_until(time.monotonic() + self.patience, is_done)

    def read_until(self, end, is_done):
        while time.monotonic() < end and not is_done():
            try:
                self.note(self.client.get_iopub_msg(timeout=0.02))
            except queue.Empty:
                pass
            try:
                reply = self.client.get_shell_msg(timeout=0.001)
            except queue.Empty:
                continue
            if cell := self.cells.get(reply["parent_header"].get("msg_id")):
                cell["statuses"].append(reply["content"]["status"])

    def note(self, message):
        key, content = message["parent_header"].get("msg_id"), message["content"]
        if key not in self.cells:
            return
        if message["msg_type"] == "stream":
            self.cells[key]["printed"] += content["text"]
        elif message["msg_type"] == "error":
            self.cells[key]["errors"].append(f"{content['ename']}: {content['evalue']}")
        elif content.get("execution_state") == "idle":
            self.idle.add(key)


def main():
    job = json.loads(sys.argv[1])
    with started_kernel("tslab", job["cwd"]) as (manager, client):
        conversation = Conversation(manager, client, job["patience"])
        for verb, value in job["steps"]:
            conversation.take(verb, value)
        print(json.dumps(list(conversation.cells.values())))


if __name__ == "__main__":
    main()
