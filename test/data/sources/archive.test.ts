import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { isArchive, unpackArchive } from "../../../src/data/sources/archive.js";
import { Random } from "../../../src/random.js";
import { type Entries, tarOf, temporaryFolder, writeFiles, zipOf } from "../fixtures.js";

const bytes = (text: string) => Buffer.from(text);
const random = new Random(1);
/** Not compressible, and long enough that a cut archive lacks some of it. */
const noise = Buffer.from(Array.from({ length: 20_000 }, () => random.integer(256)));
const OUTSIDE = path.join(os.tmpdir(), "ferkit-outside.png");
const FORMATS: [string, (entries: Entries) => Buffer][] = [
  ["faces.tar", tarOf],
  ["faces.tar.gz", (entries) => gzipSync(tarOf(entries))],
  ["faces.tgz", (entries) => gzipSync(tarOf(entries))],
  ["faces.zip", zipOf],
];

describe("isArchive", () => {
  it("knows archives by the end of the name, in any case", () => {
    for (const name of ["a.tar", "a.tar.gz", "a.tgz", "a.zip", "A.ZIP", "b/a.TAR.GZ"])
      assert.ok(isArchive(name), name);
    for (const name of ["a.gz", "a.png", "zip", "a.zip.part", "a.tar.bz2"]) assert.ok(!isArchive(name), name);
  });
});

describe("unpackArchive", () => {
  const inFolder = temporaryFolder();
  const unpack = (name: string, data: Uint8Array) => {
    writeFileSync(inFolder(name), data);
    return unpackArchive(inFolder(name)).then(({ dir }) => dir);
  };
  const unpacked = () => {
    const dir = inFolder("cache/ferkit/unpacked");
    return existsSync(dir) ? readdirSync(dir) : [];
  };
  /** Checks that the cache and the test's folder hold only the archive. */
  const assertNothingLeft = (name: string) => {
    assert.deepEqual(unpacked(), []);
    assert.deepEqual(readdirSync(inFolder()).sort(), ["cache", name]);
    assert.deepEqual(readdirSync(inFolder("cache/ferkit")), ["unpacked"]);
  };

  for (const [name, pack] of FORMATS) {
    it(`unpacks ${name} into a folder of the cache`, async () => {
      const dir = await unpack(name, pack({ "data/a/1.png": bytes("one"), "data/b/2.png": noise }));
      assert.equal(readFileSync(`${dir}/data/a/1.png`, "utf8"), "one");
      assert.deepEqual(readFileSync(`${dir}/data/b/2.png`), noise);
      assert.deepEqual(unpacked().sort(), [path.basename(dir), `${path.basename(dir)}.json`]);
    });

    it(`leaves out links that lead out of ${name} or to nothing, and names them`, async () => {
      writeFiles(inFolder("outside"), { "secret.png": "secret" });
      const entries = {
        "a/1.png": noise,
        "a/2.png": { target: inFolder("outside/secret.png") },
        "a/3.png": { target: "../../secret.png" },
        "a/4.png": { target: "nowhere.png" },
      };
      writeFileSync(inFolder(name), pack(entries));
      const { dir, notes } = await unpackArchive(inFolder(name));
      assert.deepEqual(readdirSync(`${dir}/a`), ["1.png"]);
      const expected = [
        { path: "a/2.png", reason: "a link out of the archive" },
        { path: "a/3.png", reason: "a link out of the archive" },
        { path: "a/4.png", reason: "a link to nothing in the archive" },
      ];
      assert.deepEqual(notes, expected);
      assert.deepEqual((await unpackArchive(inFolder(name))).notes, expected, "also from the cache");
    });

    it(`makes links to files and folders in ${name}, also to links and before their targets`, async () => {
      const dir = await unpack(
        name,
        pack({
          "b/first.png": { target: "../c/2.png" },
          "a/1.png": bytes("one"),
          "b/1.png": { target: "../a/1.png" },
          c: { target: "a" },
          "a/2.png": { target: "./1.png" },
        }),
      );
      for (const file of ["b/first.png", "b/1.png", "c/1.png", "c/2.png"])
        assert.equal(readFileSync(`${dir}/${file}`, "utf8"), "one", file);
    });

    it(`refuses a ${name} that is cut short, and leaves nothing`, async () => {
      const whole = pack({ "a/1.png": noise, "b/2.png": noise });
      for (const length of [0, 100, whole.length >> 1, whole.length - 1100])
        await assert.rejects(unpack(name, whole.subarray(0, length)), (error: Error) => {
          assert.equal(error.name, "InputError");
          const start = `Expected a complete .tar.gz, .tgz, .tar or .zip archive at ${inFolder(name)} but found `;
          assert.ok(error.message.startsWith(start), error.message);
          assert.match(error.message, /\. Remove it, and download or pack it again; nothing was unpacked\.$/);
          return true;
        });
      assertNothingLeft(name);
    });

    for (const entry of ["../x.png", "a/../../x.png", OUTSIDE])
      it(`refuses the entry ${entry} in ${name}, and leaves nothing`, async () => {
        await assert.rejects(
          unpack(name, pack({ "a/1.png": noise, [entry]: bytes("bad"), "b/2.png": noise })),
          {
            name: "InputError",
            message: `Expected an archive that stays in its folder at ${inFolder(name)} but found the entry ${entry}. Remove the archive, since it is not to be trusted; nothing was unpacked.`,
          },
        );
        assertNothingLeft(name);
        assert.ok(!existsSync(OUTSIDE));
      });

    it(`writes nothing through a link in ${name}`, async () => {
      mkdirSync(inFolder("outside"));
      const hostile = { link: { target: inFolder("outside") }, "link/x.png": bytes("inside") };
      const dir = await unpack(name, pack(hostile));
      assert.deepEqual(readdirSync(inFolder("outside")), []);
      assert.equal(readFileSync(`${dir}/link/x.png`, "utf8"), "inside");
    });
  }

  it("makes hard links of a tar archive", async () => {
    const entries = { "d/a/1.png": bytes("one"), "d/b/2.png": { target: "d/a/1.png", isHard: true } };
    assert.equal(readFileSync(`${await unpack("faces.tar", tarOf(entries))}/d/b/2.png`, "utf8"), "one");
  });

  it("unpacks an archive again if another of the same date and size takes its place", async () => {
    const date = new Date(1_000_000_000_000);
    for (const text of ["one", "two"]) {
      writeFileSync(inFolder("new.tar"), tarOf({ "a/1.png": bytes(text) }));
      utimesSync(inFolder("new.tar"), date, date);
      renameSync(inFolder("new.tar"), inFolder("faces.tar"));
      const { dir } = await unpackArchive(inFolder("faces.tar"));
      assert.equal(readFileSync(`${dir}/a/1.png`, "utf8"), text);
    }
  });

  it("refuses an archive with a damaged entry", async () => {
    const data = tarOf({ "a/1.png": bytes("one"), "b/2.png": bytes("two") });
    data[2 * 512] ^= 1; // in the second name, after one block each of header and data
    await assert.rejects(unpack("faces.tar", data), { name: "InputError", message: /checksum failure/ });
    assert.deepEqual(unpacked(), []);
  });

  it("refuses an empty archive, and a file that is not an archive", async () => {
    await assert.rejects(unpack("faces.zip", zipOf({})), { name: "InputError", message: /no files in it/ });
    await assert.rejects(unpack("faces.zip", bytes("<html>Log in first</html>")), { name: "InputError" });
    await assert.rejects(unpack("faces.tar.gz", bytes("<html>Log in first</html>")), { name: "InputError" });
    assert.deepEqual(unpacked(), []);
  });

  it("does not unpack the same archive again", async () => {
    const dir = await unpack("faces.tar", tarOf({ "a/1.png": bytes("one") }));
    writeFileSync(`${dir}/a/1.png`, "mark");
    assert.equal((await unpackArchive(inFolder("faces.tar"))).dir, dir);
    assert.equal(readFileSync(`${dir}/a/1.png`, "utf8"), "mark");

    const { atime, mtime } = statSync(inFolder("faces.tar"));
    writeFileSync(inFolder("faces.tar"), tarOf({ "a/1.png": bytes("two") }));
    utimesSync(inFolder("faces.tar"), atime, new Date(mtime.getTime() + 1000));
    const { dir: other } = await unpackArchive(inFolder("faces.tar"));
    assert.notEqual(other, dir);
    assert.equal(readFileSync(`${other}/a/1.png`, "utf8"), "two");
  });

  it("gives two calls at the same time the same folder", async () => {
    writeFileSync(inFolder("faces.tar"), tarOf({ "a/1.png": noise }));
    const [first, second] = await Promise.all([1, 2].map(() => unpackArchive(inFolder("faces.tar"))));
    assert.deepEqual(first, second);
    assert.equal(unpacked().filter((file) => !file.endsWith(".json")).length, 1);
  });

  it("says that the cache cannot be written", async () => {
    writeFiles(inFolder("cache"), { ferkit: "a file" });
    await assert.rejects(unpack("faces.tar", tarOf({ "a/1.png": noise })), (error: Error) => {
      assert.equal(error.name, "InputError");
      assert.ok(
        error.message.startsWith(`Expected to write at ${inFolder("cache/ferkit/unpacked")}`),
        error.message,
      );
      return true;
    });
  });
});
