import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { Header } from "tar";
import { isArchive, unpackArchive } from "../../../../src/data/sources/packed/archive.js";
import { Random } from "../../../../src/random.js";
import {
  type Entries,
  latin,
  renamed,
  tarOf,
  temporaryFolder,
  UTF8_FLAG,
  withFlags,
  writeFiles,
  zipOf,
} from "../../fixtures.js";

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

/** Packs a zip archive of one compressed entry. */
function deflatedZip(name: string, data: Buffer): Buffer {
  const compressed = deflateRawSync(data);
  const packed = zipOf({ [name]: compressed });
  for (const [mark, method, checksum, size] of [
    ["PK\x03\x04", 8, 14, 22],
    ["PK\x01\x02", 10, 16, 24],
  ] as const) {
    const at = packed.lastIndexOf(mark, undefined, "latin1");
    packed.writeUInt16LE(8, at + method);
    packed.writeUInt32LE(crc32(data), at + checksum);
    packed.writeUInt32LE(data.length, at + size);
  }
  return packed;
}

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
    it(`leaves out names in ${name} that are not UTF-8, and merges none`, async () => {
      const entries = { "p?che/1.png": bytes("one"), "p!che/1.png": bytes("two"), "a/1.png": noise };
      const named = (packed: Buffer) =>
        renamed(renamed(packed, "p?che", latin("p\xeache")), "p!che", latin("p\xe8che"));
      const isZip = name.endsWith(".zip");
      const packed = named(isZip ? withFlags(zipOf(entries), UTF8_FLAG) : tarOf(entries));
      writeFileSync(inFolder(name), /gz$/.test(name) ? gzipSync(packed) : packed);
      const { dir, notes } = await unpackArchive(inFolder(name));
      assert.deepEqual(readdirSync(dir), ["a"]);
      const reason = "its name in the archive is not UTF-8: pack it again with another name";
      assert.deepEqual(notes.skipped, [
        { path: "p\ufffdche/1.png", reason },
        { path: "p\ufffdche/1.png", reason },
      ]);
    });

    it(`names the cause if no name in ${name} is UTF-8`, async () => {
      const entries = { "p?che/1.png": noise, "p?che/2.png": noise };
      const packed = name.endsWith(".zip") ? withFlags(zipOf(entries), UTF8_FLAG) : tarOf(entries);
      const data = renamed(packed, "p?che", latin("p\xeache"));
      await assert.rejects(unpack(name, /gz$/.test(name) ? gzipSync(data) : data), {
        name: "InputError",
        message: `Expected an archive with names in UTF-8 at ${inFolder(name)} but found 2 other names, such as p\ufffdche/1.png. Rename the files, and pack it again.`,
      });
      assertNothingLeft(name);
    });

    it(`says if ${name} has a name twice, of which the later one is unpacked`, async () => {
      const packed = renamed(
        (name.endsWith(".zip") ? zipOf : tarOf)({ "a/1.png": bytes("one"), "a/2.png": bytes("two") }),
        "a/2.png",
        latin("a/1.png"),
      );
      writeFileSync(inFolder(name), /gz$/.test(name) ? gzipSync(packed) : packed);
      const { dir, notes } = await unpackArchive(inFolder(name));
      assert.equal(readFileSync(`${dir}/a/1.png`, "utf8"), "two");
      const reason = "replaced by a later entry of the archive with its name";
      assert.deepEqual(notes.skipped, [{ path: "a/1.png", reason }]);
    });

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
      assert.deepEqual(notes, { skipped: expected, guesses: [] });
      assert.deepEqual((await unpackArchive(inFolder(name))).notes.skipped, expected, "also from the cache");
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
            message: `Expected an archive that stays in its folder at ${inFolder(name)} but found the entry ${entry}. Remove the archive, since it cannot be trusted; nothing was unpacked.`,
          },
        );
        assertNothingLeft(name);
        assert.ok(!existsSync(OUTSIDE));
      });

    it(`refuses a ${name} that claims more than the disk has, before it writes an entry`, async () => {
      const entries = { "a/1.png": noise, "a/2.png": noise };
      const isZip = name.endsWith(".zip");
      const packed = isZip ? zipOf(entries) : tarOf(entries);
      if (isZip) {
        // in the central directory, both sizes of the second entry
        const at = packed.lastIndexOf("PK\x01\x02", undefined, "latin1");
        for (const position of [20, 24]) packed.writeUInt32LE(0xfffffffe, at + position);
      } else {
        const header = new Header({ path: "a/2.png", size: 2 ** 45, mode: 0o644, type: "File" });
        header.encode(packed, 512 + 20_480);
      }
      await assert.rejects(unpack(name, isZip || name === "faces.tar" ? packed : gzipSync(packed)), {
        name: "InputError",
        message: `Expected a file that unpacks to at most 200 times its size at ${inFolder(name)} but found more with its entry a/2.png. Remove it, since it cannot be trusted; nothing was unpacked.`,
      });
      assertNothingLeft(name);
    });

    it(`takes no modes from ${name}: no set-user-id bit, and files that can be read`, async () => {
      const mode = name.endsWith(".zip") ? undefined : 0;
      const packed = pack({ "a/1.png": noise, "a/2.png": noise });
      const plain = mode === undefined ? packed : tarOf({ "a/1.png": noise, "a/2.png": noise });
      if (mode === undefined)
        for (let at = plain.indexOf("PK\x01\x02"); at >= 0; at = plain.indexOf("PK\x01\x02", at + 1))
          plain.writeUInt16LE(0o106755, at + 40); // in the upper half of the attributes
      else new Header({ path: "a/1.png", size: noise.length, mode: 0o6000, type: "File" }).encode(plain);
      const dir = await unpack(name, packed === plain || name === "faces.tar" ? plain : gzipSync(plain));
      for (const file of ["a/1.png", "a/2.png"])
        assert.equal(statSync(path.join(dir, file)).mode & 0o7777, 0o644 & ~process.umask(), file);
    });

    it(`writes nothing through a link in ${name}`, async () => {
      mkdirSync(inFolder("outside"));
      const hostile = { link: { target: inFolder("outside") }, "link/x.png": bytes("inside") };
      const dir = await unpack(name, pack(hostile));
      assert.deepEqual(readdirSync(inFolder("outside")), []);
      assert.equal(readFileSync(`${dir}/link/x.png`, "utf8"), "inside");
    });
  }

  it("refuses a small archive of large zeros", async () => {
    const zeros = Buffer.alloc(2 ** 27);
    await assert.rejects(unpack("faces.tar.gz", gzipSync(tarOf({ "a/1.png": zeros }))), {
      name: "InputError",
      message: /^Expected a file that unpacks to at most 200 times its size at /,
    });
    assertNothingLeft("faces.tar.gz");
  });

  it("refuses a zip whose entry has another CRC-32 than it says", async () => {
    const packed = zipOf({ "a/1.png": bytes("one"), "a/2.png": noise });
    packed[packed.indexOf(noise) + 100] ^= 1;
    await assert.rejects(unpack("faces.zip", packed), {
      name: "InputError",
      message: `Expected a complete .tar.gz, .tgz, .tar or .zip archive at ${inFolder("faces.zip")} but found one that cannot be read (a/2.png of another CRC-32 than in its header). Remove it, and download or pack it again; nothing was unpacked.`,
    });
    assertNothingLeft("faces.zip");
  });

  it("refuses a damaged zip with an error of its own, or unpacks it, whichever byte is wrong", async () => {
    const packed = deflatedZip("a/1.png", noise.subarray(0, 300));
    let numRefused = 0;
    for (let at = 0; at < packed.length; at += 3)
      for (const value of [packed[at] ^ 255, packed[at] ^ 1]) {
        const damaged = Buffer.from(packed);
        damaged[at] = value;
        await unpack("faces.zip", damaged).catch((error: Error) => {
          assert.equal(error.name, "InputError", `byte ${at}: ${error.stack}`);
          numRefused++;
        });
        rmSync(inFolder("cache"), { recursive: true });
      }
    await new Promise(setImmediate); // an event that nothing listens to would end the test
    assert.ok(numRefused > 200, `${numRefused}`);
  });

  it("unpacks compressed entries of a zip", async () => {
    const dir = await unpack("faces.zip", deflatedZip("a/1.png", noise));
    assert.deepEqual(readFileSync(`${dir}/a/1.png`), noise);
  });

  it("does not wait for a named pipe", async () => {
    execFileSync("mkfifo", [inFolder("faces.zip")]);
    await assert.rejects(unpackArchive(inFolder("faces.zip")), {
      name: "InputError",
      message: `Expected a file of images at ${inFolder("faces.zip")} but found a named pipe. Choose a regular file.`,
    });
  });

  it("unpacks again if the cache has lost the notes on an archive", async () => {
    const dir = await unpack("faces.tar", tarOf({ "a/1.png": bytes("one") }));
    writeFileSync(`${dir}.json`, "{");
    assert.deepEqual((await unpackArchive(inFolder("faces.tar"))).notes.skipped, []);
    assert.equal(readFileSync(`${dir}/a/1.png`, "utf8"), "one");
  });

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
