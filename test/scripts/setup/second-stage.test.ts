import assert from "node:assert/strict";
import { shareCores } from "../../../scripts/setup/second-stage.js";

describe("shareCores", () => {
  /** Gives work to two cores in this order, and returns the order in which it began. */
  async function order(...given: [name: string, seconds?: number][]): Promise<string[]> {
    const began: string[] = [];
    const onCore = shareCores(2);
    await Promise.all(
      given.map(([name, seconds]) =>
        onCore(async () => {
          began.push(name);
          await new Promise(setImmediate);
        }, seconds),
      ),
    );
    return began;
  }

  it("begins in the order given, as many at once as there are cores", async () => {
    assert.deepEqual(await order(["a"], ["b"], ["c"], ["d"]), ["a", "b", "c", "d"]);
    let [running, most] = [0, 0];
    const onCore = shareCores(2);
    const work = async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    };
    await Promise.all([work, work, work, work, work].map((one) => onCore(one)));
    assert.equal(most, 2);
  });

  it("begins the longest that waits first", async () => {
    const began = await order(["a"], ["b"], ["short"], ["long", 8], ["medium", 4], ["last"]);
    assert.deepEqual(began, ["a", "b", "long", "medium", "short", "last"]);
  });

  it("frees a core if work fails", async () => {
    const onCore = shareCores(1);
    const failed = onCore(() => Promise.reject(new Error("broken")));
    const next = onCore(async () => "done");
    await assert.rejects(failed, /broken/);
    assert.equal(await next, "done");
  });
});
