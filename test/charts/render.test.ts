import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { classBalanceChart } from "../../src/charts/class-balance.js";
import { sampleGridCharts } from "../../src/charts/image-grid.js";
import {
  chartBundle,
  chartText,
  rasterize,
  renderPng,
  renderSvg,
  saveChart,
  textWidth,
} from "../../src/charts/render.js";
import type { ChartSpec } from "../../src/charts/theme.js";
import { visible } from "../../src/errors.js";
import { PIXEL } from "./fixtures.js";

const chart = classBalanceChart([{ split: "train", className: "happy", count: 3 }]);

describe("renderPng and renderSvg", () => {
  it("draws the PNG at twice the size of the SVG, on a light or a dark ground", async () => {
    const [svg, png] = [await renderSvg(chart), await renderPng(chart)];
    const [, width, height] = /<svg[^>]* width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [2 * Number(width), 2 * Number(height)]);
    assert.deepEqual([...data.subarray(0, 3)], [255, 255, 255]);
    const dark = await sharp(await renderPng(chart, "dark"))
      .raw()
      .toBuffer();
    assert.deepEqual([...dark.subarray(0, 3)], [17, 17, 17]);
  });

  it("has no ground in the SVG, and texts in the colour of the page", async () => {
    const svg = await renderSvg(chart);
    assert.doesNotMatch(svg, /#fff|white|<style/);
    const texts = svg.match(/<text[^>]*>/g) ?? [];
    assert.ok(texts.length > 5 && texts.every((text) => text.includes('fill="currentColor"')));
  });

  it("limits the side of a PNG that many classes make high", async () => {
    const counts = Array.from({ length: 200 }, (_, i) => ({
      split: "train",
      className: `class ${i}`,
      count: i,
    }));
    const spec = { ...classBalanceChart(counts), height: 20_000 } as ChartSpec;
    const { height } = await sharp(await renderPng(spec)).metadata();
    assert.equal(height, 16_000);
  });

  it("leaves room for every text", async () => {
    const names = ["a rather long class name", "W"];
    const png = await renderPng(
      classBalanceChart(names.map((className) => ({ split: "train", className, count: 1_000_000 }))),
    );
    const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true });
    const isLight = (x: number, y: number) => data[y * info.width + x] > 250;
    const edge = 20; // of the padding of 36 pixels, nothing but the card
    for (let y = 0; y < info.height; y++)
      for (let d = 0; d < edge; d++) assert.ok(isLight(d, y) && isLight(info.width - 1 - d, y), `row ${y}`);
  });

  it("draws pictures from their data URLs", async () => {
    const red = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#ff0000" } })
      .png()
      .toBuffer();
    const image = `data:image/png;base64,${red.toString("base64")}`;
    const png = await renderPng(sampleGridCharts([{ image, caption: "red" }], { side: 100 })[0]);
    const { data } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    let numRed = 0;
    for (let i = 0; i < data.length; i += 3) if (data[i] > 200 && data[i + 1] < 50) numRed++;
    assert.ok(numRed > 0.95 * 200 * 200 && numRed <= 201 * 201, `${numRed} red pixels`);
  });

  it("holds each picture once, with words for those who cannot see it", async () => {
    const svg = await renderSvg(sampleGridCharts([{ image: PIXEL, caption: "sad", detail: "→ happy" }])[0]);
    assert.equal(svg.split(PIXEL).length - 1, 1);
    assert.match(svg, /<image aria-label="sad, → happy"/);
  });

  it("reads neither files nor the network", async () => {
    const fix = "Put the values or a data: URL in its place.";
    const schema = { $schema: "https://vega.github.io/schema/vega-lite/v5.json" };
    const withData: ChartSpec = {
      ...schema,
      data: { url: "file:///etc/hostname" },
      mark: "bar",
      encoding: {},
    };
    await assert.rejects(renderSvg(withData), {
      name: "InputError",
      message: `Expected a chart that carries its own data and pictures but found the address file:///etc/hostname. ${fix}`,
    });
    const withImage: ChartSpec = {
      ...schema,
      data: { values: [{}] },
      mark: { type: "image", url: "http://127.0.0.1:9/face.png", width: 10, height: 10 },
      encoding: {},
    };
    await assert.rejects(renderSvg(withImage), {
      message: `Expected a chart that carries its own data and pictures but found the address http://127.0.0.1:9/face.png. ${fix}`,
    });
  });

  it("shows characters that a drawing cannot hold", async () => {
    const className = "\u001b\0\ufffe\ud800\u202e\u{1f600}";
    const spec = classBalanceChart([{ split: "train", className, count: 3 }], `of ${className}`);
    const [svg, png] = [await renderSvg(spec), await renderPng(spec)];
    assert.ok(svg.includes(">of \\u001b\\u0000\\ufffe\\ud800\\u202e\u{1f600}</text>"), svg);
    assert.equal(visible(svg), svg); // nothing left to show
    assert.equal((await sharp(png).metadata()).format, "png");
  });

  const broken = async (part: object, found: string) => {
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v5.json",
      data: { values: [{ a: 1, b: "toString" }] },
      mark: "bar",
      encoding: {},
      ...part,
    };
    await assert.rejects(renderSvg(spec as ChartSpec), {
      name: "InputError",
      message: `Expected a chart that vega-lite can draw but found the error "${found}". Fix its specification.`,
    });
  };

  it("refuses what Vega would draw without, and only log", async () => {
    const stacked = {
      encoding: {
        x: { field: "a", type: "quantitative", stack: "zero" },
        y: { field: "b" },
        color: { field: "b" },
      },
    };
    await broken(stacked, "g.push is not a function");
  });

  it("refuses specifications that vega-lite or Vega cannot read", async () => {
    await broken({ mark: "no such mark" }, "Cannot read properties of undefined (reading 'filled')");
    await broken({ transform: [{ calculate: "1 +", as: "c" }] }, "Unexpected end of input");
  });
});

describe("chartText", () => {
  it("shows control characters, but keeps its lines", () => {
    const text = chartText({ ...chart, title: "of \u001b[31m", description: "a\nb\u0007" });
    assert.equal(text, "of \\u001b[31m\na\nb\\u0007");
  });
});

describe("chartBundle", () => {
  it("leaves the specification as it was", async () => {
    const before = structuredClone(chart);
    assert.deepEqual((await chartBundle(chart))["application/vnd.vegalite.v5+json"], before);
  });

  it("holds the chart as specification, drawing, picture and words", async () => {
    const bundle = await chartBundle(chart);
    assert.deepEqual(Object.keys(bundle), [
      "application/vnd.vegalite.v5+json",
      "image/svg+xml",
      "image/png",
      "text/plain",
    ]);
    const spec = bundle["application/vnd.vegalite.v5+json"] as { $schema: string };
    assert.equal(spec.$schema, "https://vega.github.io/schema/vega-lite/v5.json");
    assert.match(String(bundle["image/svg+xml"]), /^<svg/);
    assert.equal((await sharp(Buffer.from(String(bundle["image/png"]), "base64")).metadata()).format, "png");
    assert.equal(bundle["text/plain"], "Images per class\nhappy: 3 train");
  });

  it("has a PNG of twice the chart's size, and of its size if the chart holds pictures", async () => {
    const ratioOf = async (spec: ChartSpec) => {
      const bundle = await chartBundle(spec);
      const { width } = await sharp(Buffer.from(String(bundle["image/png"]), "base64")).metadata();
      return Number(width) / Number(/ width="(\d+)"/.exec(String(bundle["image/svg+xml"]))?.[1]);
    };
    const [pictures] = sampleGridCharts([{ image: PIXEL, caption: "a" }], { title: "Samples" });
    assert.deepEqual([await ratioOf(chart), await ratioOf(pictures)], [2, 1]);
  });

  it("says the same twice", async () => {
    const image = { image: PIXEL, caption: "a" };
    assert.deepEqual(
      await chartBundle(sampleGridCharts([image])[0]),
      await chartBundle(sampleGridCharts([image])[0]),
    );
  });
});

describe("saveChart", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-charts-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("writes what the ending says", async () => {
    for (const name of ["a.svg", "a.PNG", "deep/a.json"]) await saveChart(chart, path.join(dir, name));
    assert.match(readFileSync(path.join(dir, "a.svg"), "utf8"), /^<svg/);
    assert.equal(readFileSync(path.join(dir, "a.PNG")).toString("latin1", 1, 4), "PNG");
    assert.deepEqual(JSON.parse(readFileSync(path.join(dir, "deep/a.json"), "utf8")), chart);
    assert.deepEqual(readdirSync(dir).sort(), ["a.PNG", "a.svg", "deep"]);
  });

  it("writes a file for each page", async () => {
    const file = path.join(dir, "pages.svg");
    const written = await saveChart([chart, chart], file);
    assert.deepEqual(written, [path.join(dir, "pages-1.svg"), path.join(dir, "pages-2.svg")]);
    assert.deepEqual(readdirSync(dir).sort(), ["pages-1.svg", "pages-2.svg"]);
    assert.deepEqual(await saveChart([chart], file), [file]);
  });

  it("writes drawings that follow the reader's theme", async () => {
    const file = path.join(dir, "a.svg");
    await saveChart(chart, file);
    const svg = readFileSync(file, "utf8");
    assert.match(
      svg,
      /^<svg[^>]*><style>svg:root\{color:#1f2933;background:#ffffff\}@media\(prefers-color-scheme:dark\)/,
    );
  });

  it("refuses another ending", async () => {
    const file = path.join(dir, "a.gif");
    await assert.rejects(saveChart(chart, file), {
      message: `Expected a chart's file to end in .svg, .png or .json at ${file} but found the ending .gif. Rename it.`,
    });
    assert.ok(!existsSync(file));
  });
});

const drawing = (text: string, size = 30) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="60"><rect width="900" height="60" fill="white"/><text x="10" y="40" font-family="Inter, sans-serif" font-weight="600" font-size="${size}">${text}</text></svg>`;

describe("rasterize", () => {
  it("enlarges a drawing", async () => {
    const { format, width, height } = await sharp(await rasterize(drawing("a"), 2)).metadata();
    assert.deepEqual([format, width, height], ["png", 1800, 120]);
  });

  it("draws letters in the package's font, without fonts of the system", async () => {
    const dark = async (text: string) => {
      const pixels = await sharp(await rasterize(drawing(text), 1))
        .greyscale()
        .raw()
        .toBuffer();
      return pixels.filter((value: number) => value < 128).length;
    };
    const [dots, letters] = [await dark("...."), await dark("WWWW")];
    assert.ok(dots > 10 && letters > 10 * dots, `${dots} pixels of dots, ${letters} of letters`);
    assert.notEqual(await dark("abcd"), await dark("wxyz")); // without a font all letters are the same box
  });
});

describe("textWidth", () => {
  for (const text of ["surprise", "Confusion matrix", "WILLIAM 1,804 (99.9%)", "émotion → Ärger ★", "Ждать"])
    it(`is about the drawn width of "${text}"`, async () => {
      // from the left end of the ink to the right one, with kerning; the sum of the advances is a little wider
      const picture = sharp(await rasterize(drawing(text), 1));
      const { info } = await picture.trim().toBuffer({ resolveWithObject: true });
      const width = textWidth(text, 30);
      assert.ok(width > info.width - 2 && width < 1.03 * info.width + 5, `${width} for ${info.width}`);
    });

  it("counts spaces, grows with the font size and is 0 for an empty text", () => {
    assert.ok(textWidth("a b", 12) > textWidth("ab", 12) + 2);
    assert.equal(textWidth("abc", 24), 2 * textWidth("abc", 12));
    assert.equal(textWidth("", 12), 0);
  });

  it("measures what is shown for characters that a drawing cannot hold", () => {
    for (const character of ["\u001b", "\0", "\ufffe", "\ud800", "\u202e"]) {
      const shown = `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
      assert.equal(textWidth(`a${character}`, 12), textWidth(`a${shown}`, 12), shown);
    }
  });

  it("measures markup literally", () => {
    assert.ok(textWidth("<b>&amp;", 12) > textWidth("<b>&", 12));
  });
});
