import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Header } from "tar";
import { unpackArchive } from "../../../../src/data/sources/packed/archive.js";
import { latin, tarOf, temporaryFolder } from "../../fixtures.js";

const END = Buffer.alloc(1024);

/** An entry of a tar archive, which may be a header for the next one. */
function entry(path: string, type: "File" | "ExtendedHeader" | "NextFileHasLongPath", data: Buffer): Buffer {
  const block = Buffer.alloc(512);
  new Header({ path, size: data.length, mode: 0o644, type }).encode(block);
  return Buffer.concat([block, data, Buffer.alloc(-data.length & 511)]);
}

/** A record of a pax header. */
function record(name: string, value: Buffer): Buffer {
  const length = 4 + name.length + 1 + value.length + 1; // the length has three digits, and a space after them
  return Buffer.concat([Buffer.from(`${length} ${name}=`), value, Buffer.from("\n")]);
}

describe("unpackTar", () => {
  const inFolder = temporaryFolder();
  const unpack = async (data: Buffer, name = "faces.tar") => {
    writeFileSync(inFolder(name), data);
    const { dir, notes } = await unpackArchive(inFolder(name));
    return [readdirSync(`${dir}/a`).sort(), notes.skipped.map(({ path }) => path)];
  };
  const long = "x".repeat(120);

  for (const [format, before] of [
    ["pax", (name: Buffer) => entry("p", "ExtendedHeader", record("path", name))],
    ["GNU", (name: Buffer) => entry("p", "NextFileHasLongPath", Buffer.concat([name, Buffer.alloc(1)]))],
  ] as const)
    it(`leaves out long names of ${format} that are not UTF-8`, async () => {
      const names = [`a/${long}1.png`, `a/${long}\xea.png`, `a/${long}\xe8.png`];
      const entries = names.flatMap((name) => [
        before(latin(name)),
        entry(`a/${long}`.slice(0, 90), "File", latin("x")),
      ]);
      const [found, skipped] = await unpack(Buffer.concat([...entries, END]));
      assert.deepEqual(found, [`${long}1.png`]);
      assert.equal(skipped.length, 2);
    });

  it("reads a long name in place of the short one in the header, which is cut in a letter", async () => {
    const name = `a/${"é".repeat(60)}.png`;
    const cut = Buffer.from(name).subarray(0, 99); // ends in a half of é
    const block = entry("a/1", "File", latin("x"));
    cut.copy(block);
    block.fill(" ", 148, 156);
    const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    const before = entry("p", "ExtendedHeader", record("path", Buffer.from(name)));
    assert.deepEqual(await unpack(Buffer.concat([before, block, END])), [[name.slice(2)], []]);
  });

  it("leaves out a name of more than 512 bytes that is read in two pieces, instead of shortening it", async () => {
    // 2 bytes before a multiple of 512 in the name's second block, which is 2 ** 18 in the archive
    const inside = Buffer.alloc(2 ** 18 - 3 * 512);
    const name = `a/${"é".repeat(100)}/${"é".repeat(100)}/${"é".repeat(100)}/1.png`;
    const data = Buffer.concat([
      entry("a/0.png", "File", inside),
      entry("p", "ExtendedHeader", record("path", Buffer.from(name))),
      entry("a/1", "File", latin("x")),
      END,
    ]);
    assert.deepEqual(await unpack(data), [["0.png"], ["a/1"]]);
  });

  it("leaves out links whose target is not UTF-8", async () => {
    const data = tarOf({ "a/1.png": latin("x"), "a/2.png": { target: "t.png" } });
    const at = data.indexOf("t.png");
    const changed = Buffer.from(data);
    changed[at] = 0xea;
    const header = changed.subarray(at - 157, at - 157 + 512);
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    assert.deepEqual(await unpack(changed), [["1.png"], ["a/2.png"]]);
  });

  it("knows gzip by the first bytes, whatever the name ends in", async () => {
    const data = tarOf({ "a/1.png": latin("x") });
    assert.deepEqual(await unpack(gzipSync(data), "faces.tar"), [["1.png"], []]);
    assert.deepEqual(await unpack(data, "faces.tgz"), [["1.png"], []]);
  });
});
