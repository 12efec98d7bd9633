import assert from "node:assert/strict";
import { Worker } from "../../bench/worker.js";

/** Starts a worker that answers each command by running code with `say` and `request`. */
function workerThat(code: string): Worker {
  const program = `
    const say = (message) => process.stdout.write(JSON.stringify(message) + "\\n");
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      const request = JSON.parse(line);
      ${code}
    });`;
  return Worker.start("ferkit", [process.execPath, "--eval", program]);
}

describe("Worker", () => {
  it("returns a command's events, then its result", async () => {
    const worker = workerThat(
      "say({ event: 1 }); say({ event: 2 }); say({ result: request.arguments.x + 1 });",
    );
    const events: number[] = [];
    const result = await worker.request<number, number>("add", { x: 41 }, (event) => events.push(event));
    assert.deepEqual([events, result], [[1, 2], 42]);
    await worker.close();
  });

  it("fails with the worker's message, and keeps running", async () => {
    const worker = workerThat(
      "say(request.command === 'bad' ? { error: 'no such batch' } : { result: 'fine' });",
    );
    await assert.rejects(worker.request("bad"), { message: "The ferkit worker failed: no such batch" });
    assert.equal(await worker.request("good"), "fine");
    await worker.close();
  });

  it("fails with the last output of a process that ends", async () => {
    const worker = workerThat("console.error('out of memory'); process.exit(3);");
    const gone = { message: "The ferkit worker has ended (exit status 3):\nout of memory" };
    await assert.rejects(worker.request("anything"), gone);
    await assert.rejects(worker.request("another"), gone);
  });

  it("fails if the program cannot be started", async () => {
    const worker = Worker.start("keras", ["no-such-program"]);
    await assert.rejects(
      worker.request("anything"),
      /The keras worker has ended \(spawn no-such-program ENOENT\)/,
    );
  });

  it("ignores what a library prints", async () => {
    const worker = workerThat("console.log('Welcome!'); say({ result: 1 });");
    assert.equal(await worker.request("anything"), 1);
    await worker.close();
  });

  it("reads the memory and the processor time of its process", async () => {
    const worker = workerThat("while (process.cpuUsage().user < 200_000); say({ result: null });");
    await worker.request("anything");
    assert.ok(worker.cpuSeconds() >= 0.1, `${worker.cpuSeconds()} s`);
    assert.ok(worker.peakResidentBytes() > 1e7, `${worker.peakResidentBytes()} bytes`);
    await worker.close();
  });
});
