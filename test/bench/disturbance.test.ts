import assert from "node:assert/strict";
import { disturbanceBetween, isDisturbed, machineSeconds, type Usage } from "../../bench/disturbance.js";

const before: Usage = { at: 10, machine: 100, own: 1, busy: 20, waiting: [5, 7] };

describe("machineSeconds", () => {
  it("adds the times of the first line except idle and disk waits, in hundredths of a second", () => {
    // user 100 + nice 20 + system 30 + interrupts 4 and 5 + stolen 6 = 165 ticks
    assert.equal(machineSeconds("cpu  100 20 30 90000 800 4 5 6 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n"), 1.65);
  });
});

describe("disturbanceBetween", () => {
  it("is the share that neither this process nor a worker used", () => {
    // Of 4 s on 2 processors the machine was busy for 7: 0.5 by this process, 4 by the worker, 0.2 and 0 by those that wait.
    const after = { at: 14, machine: 107, own: 1.5, busy: 24, waiting: [5.2, 7] };
    const { outside, waiting } = disturbanceBetween(before, after, 2);
    assert.equal(outside.toFixed(6), ((7 - 4.7) / 4 / 2).toFixed(6));
    assert.deepEqual(
      waiting.map((share) => share.toFixed(6)),
      [(0.2 / 4).toFixed(6), "0.000000"],
    );
  });

  it("is zero if the processes' clocks are ahead of the machine's", () => {
    const after = { ...before, at: 11, machine: 101, busy: 21.02 };
    assert.equal(disturbanceBetween(before, after, 2).outside, 0);
  });
});

describe("isDisturbed", () => {
  it("allows other programs a twentieth", () => {
    assert.equal(isDisturbed({ outside: 0.04, waiting: [] }), false);
    assert.equal(isDisturbed({ outside: 0.06, waiting: [] }), true);
  });
});
