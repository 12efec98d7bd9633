import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { writeRunReport } from "../../src/charts/run-report.js";
import { environment } from "../../src/environment.js";
import type { ScoreIntervals } from "../../src/metrics/bootstrap.js";
import { trainConfig } from "../../src/presets.js";
import { type DoneEvent, ofType, type TrainEvent } from "../../src/training/events.js";
import type { RunConfig } from "../../src/training/run-config.js";
import { recordSession } from "../../src/training/sessions.js";
import { epochEvent, ODD_NAMES } from "./fixtures.js";
import { BATCHES, CONFIG, DONE, EVENTS, headlines, subtitle, svgTexts, tableRows } from "./reported-run.js";

describe("writeRunReport", () => {
  let runDir: string;
  beforeEach(() => {
    runDir = mkdtempSync(path.join(os.tmpdir(), "ferkit-report-"));
  });
  afterEach(() => rmSync(runDir, { recursive: true }));

  async function report(events: TrainEvent[], config: RunConfig = CONFIG): Promise<string> {
    writeFileSync(path.join(runDir, "config.json"), JSON.stringify(config));
    writeFileSync(
      path.join(runDir, "metrics.jsonl"),
      events.map((event) => JSON.stringify(event)).join("\n"),
    );
    return readFileSync(await writeRunReport(runDir), "utf8");
  }

  it("writes one page into the run's folder, in place of an earlier one", async () => {
    await report([]);
    const page = await report(EVENTS);
    assert.equal(page, readFileSync(path.join(runDir, "report.html"), "utf8"));
    assert.deepEqual(readdirSync(runDir).sort(), ["config.json", "metrics.jsonl", "report.html"]);
  });

  it("replaces no page of another program", async () => {
    const file = path.join(runDir, "report.html");
    writeFileSync(file, "<h1>My notes</h1>");
    await assert.rejects(report(EVENTS), {
      name: "InputError",
      message: `Expected no file except a run's report at ${file} but found another page. Rename it, so that it is kept.`,
    });
    assert.equal(readFileSync(file, "utf8"), "<h1>My notes</h1>");
  });

  it("lists what was noted, each once, before the charts", async () => {
    const note = (text: string): TrainEvent => ({ type: "note", text });
    const texts = ["4 of 4 validation images look like one in train", "a <class>"];
    const page = await report([...texts.map(note), ...EVENTS, note(texts[0])]);
    assert.match(
      page,
      /<h2>Notes<\/h2>\n<ul><li>4 of 4 [^<]*<\/li>\n<li>a &lt;class&gt;<\/li><\/ul>\n<h2>Training<\/h2>/,
    );
    assert.doesNotMatch(await report(EVENTS), /<h2>Notes/);
  });

  it("is titled by the data set, with network, preset and what differs from it", async () => {
    const page = await report(EVENTS);
    assert.match(page, /<h1>synthetic faces<\/h1>/);
    assert.equal(
      subtitle(page),
      "EfficientNet-B0 · preset tutorial with variant b0, epochs 3 · 48 × 48 pixels",
    );
    assert.match(await report([], { ...CONFIG, data: "fer2013" }), /<h1>FER-2013<\/h1>/);
    assert.match(await report([], { ...CONFIG, data: "/home/me/my-images" }), /<h1>my-images<\/h1>/);
    const changed = { epochs: 3, batchSize: 7, mixup: 1, cutmix: 1, patience: 9, dropoutRate: 0.7, seed: 5 };
    const train = trainConfig("baseline", changed);
    assert.match(subtitle(await report([], { ...CONFIG, train })), /^EfficientNet-Lite0 · no preset · /);
  });

  it("says first what the best epoch scored, how long it took and how it ended", async () => {
    const events = [...EVENTS, epochEvent(3, 0.875, 0.5), DONE];
    assert.deepEqual(headlines(await report(events)), [
      "Best validation accuracy: 87.5%, epoch 2",
      "Macro-F1: 0.873, epoch 2",
      "Time: 8 s, 123 images/s in training", // 3 · 2.5 s
      "Epochs: 3 of 3, completed",
    ]);
    assert.equal(headlines(await report(EVENTS))[3], "Epochs: 2 of 3, not finished");
    const best = ofType(events, "epoch")[1];
    const intervals: ScoreIntervals = { accuracy: [0.475, 0.98], macroF1: [0.4, 0.9] };
    const precise = [{ ...best, validation: { ...best.validation, intervals } }];
    assert.equal(
      headlines(await report(precise))[0],
      "Best validation accuracy: 87.5%, epoch 2, 95%: 47.5%–98.0%",
    );
  });

  it("says how many images the run trained on a second, in all its epochs", async () => {
    const events = [100, 300].map((rate, i) => ({
      ...epochEvent(i + 1, 0.5, 0.5),
      imagesPerSecond: rate,
    }));
    const [, , time] = headlines(await report(events));
    assert.equal(time, "Time: 5 s, 150 images/s in training"); // 2 images in 1/100 + 1/300 s
  });

  it("draws the run's curves, and the confusion matrix and recalls of the best epoch", async () => {
    const page = await report([...EVENTS, epochEvent(3, 0.875, 0.5)]);
    const drawings = svgTexts(page);
    assert.equal(drawings.length, 5);
    const [epochs, batches, rate, confusion, recall] = drawings;
    assert.ok(epochs.includes("best: epoch 2, validation accuracy 87.5%"), `${epochs}`);
    assert.ok(batches.includes("Training, batch by batch"));
    assert.ok(rate.includes("highest: 0.0004 at step 4"), `${rate}`);
    assert.match(page, />8 images, 87\.5% on the diagonal<\/tspan>/);
    for (const text of ["happy", "sad", "75%", "3", "25%", "1", "100%", "4"])
      assert.ok(confusion.includes(text), `${text} in ${confusion}`);
    for (const text of ["happy", "75.0%", "sad", "100.0%"]) assert.ok(recall.includes(text), `${recall}`);
    assert.match(page, /<figure role="img" aria-label="Recall per class\nsad: 100.0%\nhappy: 75.0%/);
  });

  it("holds the table of epochs", async () => {
    const rows = tableRows(await report(EVENTS), '<table class="dataframe">');
    assert.equal(
      rows[0].join(),
      "epoch,train loss,train accuracy,validation loss,validation accuracy,macro-F1,learning rate,images/s,seconds,best so far",
    );
    assert.equal(rows[2].join(), "2,0.2500,0.7500,0.1250,0.8750,0.8730,0.001000,123,2.500,✓");
  });

  it("holds the configuration by its groups, and what each part of the run was done on", async () => {
    const made = await environment();
    const started = "2026-01-02T03:04:05.678Z";
    await recordSession(runDir, { epoch: 1, started, ...made, commit: null });
    await recordSession(runDir, { epoch: 3, started, ...made, commit: "abc" });
    const page = await report([]);
    const facts = (caption: string) =>
      Object.fromEntries(
        tableRows(page, `<caption>${caption}</caption>`).map(([name, value]) => [name, value]),
      );
    assert.deepEqual(facts("run"), { classNames: "happy, sad", data: "synthetic" });
    const { augment, ...train } = CONFIG.train;
    assert.deepEqual(
      facts("train"),
      Object.fromEntries(Object.entries(train).map(([k, v]) => [k, String(v)])),
    );
    assert.equal(facts("augment").zoom, "0.9, 1.1");
    assert.deepEqual(Object.keys(facts("augment")), Object.keys(augment));
    assert.deepEqual(facts("numImages"), { train: "64", validation: "8" });
    const { ferkit, tensorflow, node } = made.versions;
    assert.deepEqual(facts("from epoch 1"), {
      started,
      ferkit,
      TensorFlow: tensorflow,
      "Node.js": node,
      device: `${made.device}, ${made.kernels} kernels`,
      processor: `${made.machine.cores} × ${made.machine.cpu}`,
    });
    assert.equal(facts("from epoch 3").ferkit, `${ferkit}, commit abc`);
  });

  it("escapes the names of classes, data and files", async () => {
    const names = [...ODD_NAMES, '<script src="x">', "\u001b[31m\0"];
    const matrix = names.map((_, a) => names.map((_, b) => (a === b ? 1 : 0)));
    const perClassRecall = Object.fromEntries(names.map((name) => [name, 1]));
    const validation = { loss: 1, accuracy: 1, macroF1: 1, perClassRecall, confusionMatrix: matrix };
    const page = await report([epochEvent(1, 1, 1, { isBest: true, validation })], {
      ...CONFIG,
      train: { ...CONFIG.train, weights: "<i>&amp;.pth" },
      classNames: names,
      data: "/data/<img src=x>",
    });
    assert.match(page, /<h1>&lt;img src=x&gt;<\/h1>/);
    assert.match(page, /<td>&lt;i&gt;&amp;amp;\.pth<\/td>/);
    assert.match(page, /a&lt;b&gt;&amp;, the &quot;quoted&quot;, /);
    assert.doesNotMatch(page, /<(script|img|i|b)\b/);
    assert.match(page, />\\u001b\[31m\\u0000<\/text>/);
    assert.ok(!page.includes("\u001b") && !page.includes("\0"));
  });

  it("needs nothing from elsewhere", async () => {
    const page = await report(EVENTS);
    assert.match(page, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; /);
    assert.doesNotMatch(page, /https?:|\/\/|@import|<(script|link|iframe|object|img|a)\b|\b(src|href)=/);
    const used = [...page.matchAll(/url\(([^)]*)\)/g)].map(([, target]) => target);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => `#${id}`);
    assert.deepEqual([...new Set(ids)], ids);
    assert.deepEqual(
      used.filter((target) => !ids.includes(target)),
      [],
    );
  });

  it("can be read on light and on dark", async () => {
    assert.match(await report([]), /color-scheme: light dark;[\s\S]*@media \(prefers-color-scheme: dark\)/);
  });

  it("shows the kept model of a run that was interrupted in its first epoch", async () => {
    const done: DoneEvent = { ...DONE, reason: "interrupted", bestEpoch: 1, bestAccuracy: 0.25 };
    const page = await report([BATCHES[0], done]);
    assert.deepEqual(headlines(page), [
      "Best validation accuracy: 25.0%, epoch 1",
      "Macro-F1: –, no epoch has ended",
      "Time: –, no epoch has ended",
      "Epochs: 0 of 3, interrupted",
    ]);
    assert.ok(svgTexts(page)[0].includes("no data: no epoch has ended yet"));
  });

  it("shows a run whose validation loss was not finite", async () => {
    const validation = { ...epochEvent(1, 0.5, 0.5).validation, loss: Number.NaN };
    const page = await report([epochEvent(1, 0.5, 0.5, { validation })]);
    assert.equal(tableRows(page, '<table class="dataframe">')[1][3], "NaN");
  });

  it("shows names of classes and data that are HTML, and runs nothing", async () => {
    const hostile = "</title><script>alert(1)</script><img src=x onerror=alert(1)>";
    const validation = {
      ...epochEvent(1, 0.5, 0.5).validation,
      perClassRecall: { [hostile]: 0.5, b: 0.5 },
      confusionMatrix: [
        [1, 1],
        [1, 1],
      ],
    };
    const config = { ...CONFIG, classNames: [hostile, "b"], data: hostile };
    const page = await report([epochEvent(1, 0.5, 0.5, { validation, isBest: true })], config);
    assert.doesNotMatch(page, /<script|<img|<\/title>[^\n]*<\/title>/);
    assert.match(page, /&lt;script&gt;alert\(1\)/);
    assert.match(page, /Content-Security-Policy" content="default-src 'none'/);
  });

  it("stays under a minute and 20 MB with 1,000 classes", async () => {
    const classNames = Array.from({ length: 1000 }, (_, i) => `class number ${i} with a name`);
    const validation = {
      ...epochEvent(1, 0.5, 0.5).validation,
      perClassRecall: Object.fromEntries(classNames.map((name, i) => [name, (i % 100) / 100])),
      confusionMatrix: classNames.map((_, i) => classNames.map((__, j) => (i === j ? 40 : (7 * i + j) % 2))),
    };
    const events = [1, 2, 3].map((epoch) => epochEvent(epoch, 0.5, 0.5, { validation, isBest: true }));
    const page = await report(events, { ...CONFIG, classNames });
    assert.ok(page.length < 20e6, `${page.length}`);
  }).timeout(60_000);

  it("refuses a record of another program, which has fewer scores", async () => {
    const { train: _, ...less } = epochEvent(1, 0.5, 0.5);
    await assert.rejects(report([less as TrainEvent]), {
      name: "InputError",
      message: `Expected epochs with all scores that ferkit logs at ${path.join(runDir, "metrics.jsonl")} but found one without. Choose a run that ferkit trained.`,
    });
  });

  it("refuses a folder that holds no run", async () => {
    const fix = "Run `npx ferkit train` to make one, or choose a folder below runs/.";
    await assert.rejects(writeRunReport(runDir), {
      name: "InputError",
      message: `Expected a run at ${runDir} but found no config.json. ${fix}`,
    });
    writeFileSync(path.join(runDir, "config.json"), "{}");
    await assert.rejects(writeRunReport(runDir), {
      name: "InputError",
      message: `Expected the config.json of a run at ${path.join(runDir, "config.json")} but found no train. Fix the file, or choose another run folder (--run).`,
    });
    assert.deepEqual(readdirSync(runDir), ["config.json"]);
  });
});
