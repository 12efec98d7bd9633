"""
Sends requests to a kernel through Jupyter's protocol and prints what came back, as JSON.

Takes one argument, JSON: {"kernel": name, "cwd": path, "groups": [[request, …], …], "patience": seconds}. A request is
{"code": text, "interruptAt": text, "stopOnError": bool, "storeHistory": bool, "expressions": {name: text}} for a cell, or
{"type": "history_request", "content": {…}}. The requests of a group are sent at once; the next group follows when all of them are done,
or have been silent for `patience` seconds. The kernel is interrupted once a request has printed its `interruptAt`. Prints for each request
{"status", "reply", "messages": [{"type", "content"}], "isIdle"}, and the statuses of all requests in the order in which they came.
"""

import json
import queue
import sys
import time

from started_kernel import started_kernel


class Driver:
    def __init__(self, manager, client, patience):
        self.manager, self.client, self.patience = manager, client, patience
        self.results, self.statuses = {}, []

    def run_group(self, requests):
        pending = {}
        for request in requests:
            message_id = self.send(request)
            pending[message_id] = request
            self.results[message_id] = {"status": None, "reply": None, "messages": [], "isIdle": False}
        interrupts = {key: request["interruptAt"] for key, request in pending.items() if request.get("interruptAt")}
        while any(not self.results[key]["isIdle"] for key in pending):
            try:
                self.receive(self.client.get_iopub_msg(timeout=self.patience), interrupts)
            except queue.Empty:
                break
        for key, request in pending.items():
            if request.get("type", "execute_request").endswith("_request"):  # nothing replies to comm_open
                self.reply_of(key)

    def send(self, request):
        if "type" not in request:
            return self.client.execute(
                request["code"],
                store_history=request.get("storeHistory", True),
                user_expressions=request.get("expressions"),
                stop_on_error=request.get("stopOnError", True),
            )
        message = self.client.session.msg(request["type"], request["content"])
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def receive(self, message, interrupts):
        key, kind, content = message["parent_header"].get("msg_id"), message["msg_type"], message["content"]
        if key not in self.results:
            return
        result = self.results[key]
        result["messages"].append({"type": kind, "content": content})
        if kind == "status":
            self.statuses.append([list(self.results).index(key), content["execution_state"]])
            result["isIdle"] = content["execution_state"] == "idle"
        printed = "".join(one["content"]["text"] for one in result["messages"] if one["type"] == "stream")
        if key in interrupts and interrupts[key] in printed:
            del interrupts[key]
            self.manager.interrupt_kernel()

    def reply_of(self, key):
        end = time.monotonic() + self.patience
        while self.results[key]["reply"] is None and time.monotonic() < end:
            try:
                reply = self.client.get_shell_msg(timeout=max(0.1, end - time.monotonic()))
            except queue.Empty:
                return
            result = self.results.get(reply["parent_header"].get("msg_id"))
            if result is not None:
                result["reply"], result["status"] = reply["content"], reply["content"].get("status")

    def collect_late(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.receive(self.client.get_iopub_msg(timeout=0.1), {})
            except queue.Empty:
                pass


def main():
    job = json.loads(sys.argv[1])
    with started_kernel(job["kernel"], job["cwd"]) as (manager, client):
        driver = Driver(manager, client, job["patience"])
        for group in job["groups"]:
            driver.run_group(group)
            time.sleep(job.get("pause", 0))
        driver.collect_late(job.get("late", 0))
        print(json.dumps({"results": list(driver.results.values()), "statuses": driver.statuses}))


if __name__ == "__main__":
    main()
