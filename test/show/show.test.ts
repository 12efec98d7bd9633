import assert from "node:assert/strict";
import { inspect } from "node:util";
import { classBalanceChart } from "../../src/charts/class-balance.js";
import type { MimeBundle } from "../../src/charts/format.js";
import { tf } from "../../src/engine/tf.js";
import type { KernelHooks } from "../../src/show/kernel.js";
import { dataFrame, show, toBundle } from "../../src/show/show.js";
import { images } from "./brightness.js";

const globals = globalThis as { ferkitKernel?: KernelHooks };
const chart = classBalanceChart([{ split: "train", className: "happy", count: 3 }]);

describe("show", () => {
  const saved = globals.ferkitKernel;
  let shown: MimeBundle[];
  beforeEach(() => {
    shown = [];
    globals.ferkitKernel = { display: (bundle) => shown.push(bundle) };
  });
  afterEach(() => {
    globals.ferkitKernel = saved;
  });

  /** The first line of the text of what is shown. */
  async function textOf(value: unknown): Promise<string> {
    await show(value);
    return String(shown[shown.length - 1]["text/plain"]);
  }

  it("shows a chart, or the promise of one", async () => {
    assert.equal(await textOf(chart), "Images per class\nhappy: 3 train");
    assert.equal(await textOf(Promise.resolve(chart)), "Images per class\nhappy: 3 train");
    assert.ok("image/png" in shown[0] && "application/vnd.vegalite.v5+json" in shown[0]);
  });

  it("says how to run a generator, such as a training", async () => {
    async function* events() {
      yield 1;
    }
    const generator = events();
    assert.match(await textOf(generator), /^An async generator: .* `for await \(const event of events\)`\.$/);
    assert.deepEqual(await generator.next(), { value: 1, done: false }); // nothing was read
  });

  it("shows rows, a single row and a data frame as a table", async () => {
    const rows = [
      { name: "a", share: 0.5 },
      { name: "b", share: null },
    ];
    const expected = "name   share\na     0.5000\nb          –";
    assert.equal(await textOf(rows), expected);
    assert.equal(await textOf(await dataFrame(rows)), expected);
    assert.equal(await textOf(rows[0]), "name   share\na     0.5000");
    assert.match(String(shown[0]["text/html"]), /^<table class="dataframe">/);
  });

  it("shows the pages of a chart one after the other, the first ten of many", async () => {
    await show([chart, chart]);
    assert.equal(shown.length, 2);
    await show(Array.from({ length: 12 }, () => chart));
    assert.equal(shown.length, 2 + 11);
    assert.equal(shown[12]["text/plain"], "10 of 12 pages; saveChart writes all of them to files");
  });

  it("shows images: of a split, and classified ones", async () => {
    assert.match(await textOf(images([0, 1, 2])), /^3 of 3 images\na\nb\nc$/);
    const named = { ...images([0, 1, 2]), classNames: ["cat", "dog", "fox"] }; // by a table, in folders of other names
    assert.match(await textOf(named), /^3 of 3 images\ncat\ndog\nfox$/);
    const predictions = [{ className: "a", prob: 1 }];
    const classified = { name: "x.png", predictions, pixels: new Uint8Array(12) };
    assert.equal(await textOf(classified), "Predictions\nx.png: a 100.0%");
    assert.equal(await textOf([classified]), "Predictions\nx.png: a 100.0%");
  });

  it("shows the shape of a tensor, and its numbers if they are few", async () => {
    const [small, large] = [tf.tensor2d([[1, 2]], [1, 2], "int32"), tf.zeros([40, 40])];
    assert.match(await textOf(small), /^Tensor int32 \[1, 2\]\n.*1, 2/);
    assert.equal(await textOf(large), "Tensor float32 [40, 40]");
    tf.dispose([small, large]);
    assert.equal(await textOf(small), "Tensor int32 [1, 2], disposed");
  });

  it("shows a tensor as text where it is printed, alone or in other values", () => {
    const small = tf.tensor1d([1, 2], "int32");
    assert.equal(inspect(small), "Tensor int32 [2]\n    [1, 2]");
    assert.match(inspect({ list: [small] }), /Tensor int32 \[2\]/);
    assert.doesNotMatch(inspect([small]), /kept|dataId/);
    tf.dispose(small);
    assert.equal(inspect([small]), "[ Tensor int32 [2], disposed ]");
  });

  it("shows a network of layers as its summary", () => {
    assert.equal(inspect(tf.sequential()), "Sequential of 0 layers, without an input shape yet");
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    assert.match(inspect(model), /Total params: 8/); // 2 * 3 weights + 2 biases
    model.dispose();
  });

  it("shows a typed array on one line, and a decoded image as a picture", async () => {
    assert.equal(
      await textOf(new Uint8Array(100_000)),
      "Uint8Array of 100,000: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, …",
    );
    assert.equal(await textOf(Float32Array.of(0.5, 1)), "Float32Array of 2: 0.5, 1");
    const pixels = new Uint8Array(2 * 2 * 3);
    assert.equal(
      await textOf({ pixels, isGrey: false, width: 20, height: 30 }),
      "An image of 2 × 2 pixels\n20 × 30 in the file",
    );
  });

  it("shows a bundle as it is", async () => {
    await show({ "text/plain": "one", "text/html": "<b>one</b>" });
    assert.deepEqual(shown, [{ "text/plain": "one", "text/html": "<b>one</b>" }]);
  });

  it("shows bytes in a bundle as base64, and takes other keys with a slash for a table's columns", async () => {
    await show({ "image/png": Buffer.from([1, 2, 3]), "application/json": [1] });
    assert.deepEqual(shown, [{ "image/png": "AQID", "application/json": [1] }]);
    assert.equal(await textOf({ "train/loss": 0.5 }), await textOf([{ "train/loss": 0.5 }]));
    await assert.rejects(show({ "text/plain": {} }), /found another object/);
  });

  it("runs no getter of a shown object", async () => {
    const value = {
      get loss(): number {
        throw new Error("ran");
      },
    };
    assert.equal(await toBundle(value), undefined);
  });

  it("refuses other values", async () => {
    const expected = "a chart, a table, images, a tensor or a MIME bundle to show";
    const cases: [unknown, string][] = [
      [3, "a number"],
      [null, "null"],
      [[], "an empty list"],
      [[1], "a list of other values"],
      [{ deep: {} }, "another object"],
    ];
    for (const [value, found] of cases)
      await assert.rejects(show(value), {
        name: "InputError",
        message: `Expected ${expected} but found ${found}. Choose one of these.`,
      });
    assert.deepEqual(shown, []);
  });

  it("shows nothing outside a notebook", async () => {
    globals.ferkitKernel = undefined;
    await show(chart);
    assert.deepEqual(shown, []);
  });
});

describe("toBundle", () => {
  it("waits for a promise, and returns its text if it has no richer form", async () => {
    assert.deepEqual(await toBundle(Promise.resolve(12)), { "text/plain": "12" });
    assert.match(String((await toBundle(Promise.resolve([{ a: 1 }])))?.["text/html"]), /^<table/);
  });

  it("returns undefined for a value without a richer form", async () => {
    for (const value of [
      3,
      "text",
      undefined,
      [],
      [1, 2],
      {},
      { f: () => 1 },
      Object.assign(new Error("e"), { code: 1 }),
    ])
      assert.equal(await toBundle(value), undefined);
  });
});

describe("dataFrame", () => {
  it("has the columns of the first row, and null for missing cells", async () => {
    const { columns, values } = await dataFrame([{ a: 1, b: "x" }, { a: 2 }]);
    assert.deepEqual(columns, ["a", "b"]);
    assert.deepEqual(values, [
      [1, "x"],
      [2, null],
    ]);
  });
});
