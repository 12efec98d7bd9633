import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { linesOf } from "../src/lines.js";

describe("linesOf", () => {
  const problem = { expected: "a list", fix: "Fix it." };
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-lines-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  async function read(content: string | Buffer, maxLength: number): Promise<string[]> {
    const file = path.join(dir, "list.txt");
    writeFileSync(file, content);
    const lines: string[] = [];
    for await (const line of linesOf(file, problem, maxLength)) lines.push(line);
    return lines;
  }

  it("counts characters, whatever their bytes", async () => {
    assert.deepEqual(await read("äöü\r\nabc", 4), ["äöü", "abc"]);
    assert.deepEqual(await read(Buffer.from("\ufeffäöü\nabc\n", "utf16le"), 3), ["äöü", "abc"]);
  });

  it("ends lines as Windows, Unix and old Macs do, also where a piece of the file ends", async () => {
    const line = "é".repeat(5);
    for (const mark of ["\n", "\r", "\r\n"]) {
      const found = await read(`${line}${mark}`.repeat(20_000), 5);
      assert.equal(found.length, 20_000);
      assert.ok(found.every((one) => one === line));
    }
    assert.deepEqual(await read("a\r\rb\r\n\r\nc", 5), ["a", "", "b", "", "c"]);
  });

  it("yields the lines above bytes that are not text, and names these", async () => {
    const file = path.join(dir, "list.txt");
    writeFileSync(file, Buffer.from(`a\n${"b\n".repeat(100_000)}p\xeache\n`, "latin1"));
    let numLines = 0;
    const readAll = async () => {
      for await (const _ of linesOf(file, problem, 10)) numLines++;
    };
    await assert.rejects(readAll(), {
      message: `Expected a list in UTF-8 at ${file} but found line 100002 with the byte EA, not in UTF-8. Save it as UTF-8.`,
    });
    assert.equal(numLines, 100_001);
  });

  it("names the line that is too long", async () => {
    await assert.rejects(read("äöü\näöüß", 3), {
      message: `Expected a list at ${path.join(dir, "list.txt")} but found more than 3 characters in line 2. Fix it.`,
    });
  });
});
