import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { classesOf } from "../../../src/data/sources/listing.js";
import { readSource, type SourceOptions } from "../../../src/data/sources/source.js";
import { latin, renamed, tarOf, temporaryFolder, writeFiles } from "../fixtures.js";

describe("readSource, for text that is not in UTF-8", () => {
  const inFolder = temporaryFolder();
  const read = async (data: string, options: Partial<SourceOptions> = {}) =>
    (await readSource({ data, seed: 0, ...options })).listing;
  const save = (where: string, found: string, expected = "a table in UTF-8") => ({
    name: "InputError",
    message: `Expected ${expected} at ${where} but found ${found}. Save it as UTF-8.`,
  });
  const images = { "img/0.png": "x", "img/1.png": "x" };
  const tables: [name: string, file: string, content: Buffer, found: string][] = [
    [
      "CSV of another code page",
      "labels.csv",
      latin("file,label\n0.png,p\xe9ch\xe9\n1.png,p\xe8che\n"),
      "line 2 with the byte E9, not in UTF-8",
    ],
    [
      "CSV with two bytes a letter",
      "labels.csv",
      latin("file,label\r0.png,a\r1.png,\xb9\xb7\r"),
      "line 3 with the bytes B9 B7, not in UTF-8",
    ],
    [
      "CSV in UTF-16 without a mark",
      "labels.csv",
      Buffer.from("file,label\n0.png,a\n1.png,b\n", "utf16le"),
      "line 1 with the bytes 66 00, in UTF-16 without a byte-order mark",
    ],
    ["a list", "list.txt", latin("0.png a\n1.png p\xeache\n"), "line 2 with the byte EA, not in UTF-8"],
    [
      "JSON",
      "labels.json",
      latin('{"0.png": "a",\n"1.png": "p\xeache"}'),
      "line 2 with the byte EA, not in UTF-8",
    ],
    [
      "JSON lines",
      "img/metadata.jsonl",
      latin('{"file_name": "0.png", "label": "\xe9"}\n'),
      "line 1 with the byte E9, not in UTF-8",
    ],
  ];
  for (const [name, file, content, found] of tables)
    it(`refuses ${name}`, async () => {
      const dir = writeFiles(inFolder("data"), { ...images, [file]: content });
      await assert.rejects(read(dir), save(`${dir}/${file}`, found));
      await assert.rejects(read(dir, { labels: file }), save(`${dir}/${file}`, found));
    });

  it("refuses labels beside images in tar files, also in JSON", async () => {
    for (const [name, content] of [
      ["0.cls", "p\xeache"],
      ["0.json", '{"label": "p\xeache"}'],
    ]) {
      const tar = tarOf({ "0.png": Buffer.from("x"), [name]: latin(content) });
      const dir = writeFiles(inFolder(name), { "a.tar": tar });
      await assert.rejects(
        read(dir),
        save(`a/${name}`, "line 1 with the byte EA, not in UTF-8", "a file beside an image in UTF-8"),
      );
    }
  });

  it("refuses tables of pixels, also for a letter in the header", async () => {
    const pixels = Array.from({ length: 16 }, () => 9).join(" ");
    for (const [header, label, line] of [
      ["label,pixels", "p\xeache", 2],
      ["label,pixels,\xea", "a", 1],
    ]) {
      const dir = writeFiles(inFolder(`pixels${line}`), {
        "t.csv": latin(`${header}\n${label},${pixels}\n`),
      });
      const message = new RegExp(
        `^Expected a table.* at .*t\\.csv but found line ${line} with the byte EA, not in UTF-8\\. Save it as UTF-8\\.$`,
      );
      await assert.rejects(read(dir), { name: "InputError", message });
      await assert.rejects(read(`${dir}/t.csv`), { name: "InputError", message });
    }
  });

  it("names a table with names of images that are not in UTF-8, and is not stopped by other files", async () => {
    const dir = writeFiles(inFolder("data"), {
      "狗.png": "x",
      "t.csv": latin("file,label\n\xb9\xb7.png,a\n"),
    });
    await assert.rejects(read(dir), {
      message: `Expected class folders with images, with or without train and validation folders around them at ${dir} but found images in no class folder, and t.csv, which is not read, since it has line 2 with the bytes B9 B7, not in UTF-8. Save it as UTF-8.`,
    });
    const beside = writeFiles(inFolder("beside"), {
      "a/0.png": "x",
      "b/1.png": "x",
      "note.txt": latin("\xe9t\xe9\n"),
    });
    const { samples, notes } = await read(beside);
    assert.deepEqual([samples.length, notes], [2, []]);
  });

  it("names the cause if no name in a folder is UTF-8", async () => {
    for (const [name, ...parts] of [
      ["folders", "p\xeache/1.png", "p\xe8che/1.png"],
      ["files", "a/1\xe9.png", "b/2\xe9.png"],
    ]) {
      const dir = writeFiles(inFolder(name), { "note.txt": "x" });
      for (const part of parts) {
        const file = Buffer.concat([Buffer.from(`${dir}/`), latin(part)]);
        mkdirSync(file.subarray(0, file.lastIndexOf("/")), { recursive: true });
        writeFileSync(file, "x");
      }
      await assert.rejects(read(dir), {
        name: "InputError",
        message: `Expected class folders with images, with or without train and validation folders around them at ${dir} but found no images in class folders, but 2 names that are not UTF-8, such as ${name === "files" ? "a/1\ufffd.png" : "p\ufffdche"}. Rename the files and folders in UTF-8.`,
      });
    }
  });

  it("leaves samples of tar files out whose names are not UTF-8, and merges none", async () => {
    const sample = (name: string, label: string) => ({
      [`${name}.png`]: Buffer.from(name),
      [`${name}.cls`]: Buffer.from(label),
    });
    const tar = tarOf({ ...sample("x1y", "0"), ...sample("x2y", "1"), ...sample("good", "0") });
    const data = renamed(renamed(tar, "x1y", latin("x\xeay")), "x2y", latin("x\xe8y"));
    const { samples, leftOut } = await read(writeFiles(inFolder("data"), { "t.tar": data }));
    assert.deepEqual(
      samples.map(({ path, className }) => `${path} ${className}`),
      ["t/good.png 0"],
    );
    assert.deepEqual(
      leftOut.list().map(({ reason, count, example }) => `${count} ${reason}, as ${example}`),
      [
        "1 a file of labels, which is used, as t/good.cls",
        "2 its name in the archive is not UTF-8: pack it again with another name, as t/x\ufffdy.cls",
        "2 its name in the archive is not UTF-8: pack it again with another name, as t/x\ufffdy.png",
      ],
    );
  });

  it("reads the replacement character where a file in UTF-8 has it", async () => {
    const dir = writeFiles(inFolder("data"), { ...images, "t.csv": "file,label\n0.png,\ufffd\n1.png,a\n" });
    assert.deepEqual(classesOf((await read(dir)).samples), ["a", "\ufffd"]);
  });
});
