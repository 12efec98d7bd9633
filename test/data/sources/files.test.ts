import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { isServiceFolder, reasonAgainst, walkFolder } from "../../../src/data/sources/files.js";
import { filesInWords } from "../../../src/data/sources/left-out.js";
import { listFolder, temporaryFolder, writeFiles } from "../fixtures.js";

/** Files of one byte. */
const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "x"]));

describe("reasonAgainst", () => {
  const inFolder = temporaryFolder();
  const pixels = { create: { width: 2, height: 2, channels: 3 as const, background: "red" } };
  const write = (name: string, content: Uint8Array | string) => {
    writeFileSync(inFolder(name), content);
    return reasonAgainst(inFolder(name));
  };

  it("reads images by content if the ending is unknown or missing", async () => {
    for (const format of ["jpeg", "png", "gif", "webp", "tiff", "avif"] as const) {
      const content = await sharp(pixels).toFormat(format).toBuffer();
      for (const name of ["photo", "photo.jpg_", "photo.image", "photo.txt", "photo.heic", "1.2"])
        assert.equal(write(name, content), null, `${format} in ${name}`);
    }
  });

  it("leaves an image ending to the decoder", () => {
    for (const name of ["a.jpe", "a.JFIF", "a.jif", "a.Tif", "a.apng", "a.jpg"])
      assert.equal(write(name, ""), null);
  });

  it("names formats that are not read, by ending or content", () => {
    const reason = "an image format that is not read (convert it to JPEG or PNG)";
    for (const name of ["a.heic", "a.HEIF", "a.bmp", "a.pgm", "a.jp2", "a.jxl", "a.svg", "a.psd", "a.dcm"])
      assert.equal(write(name, ""), reason, name);
    assert.equal(write("heic", "\0\0\0\x18ftypheic\0\0\0\0"), reason);
    assert.equal(
      write("bmp", Buffer.concat([Buffer.from("BM"), Buffer.from([1, 2, 3, 4, 0, 0, 0, 0])])),
      reason,
    );
    assert.equal(write("pgm", "P5 2 2 255\n1234"), reason);
  });

  it("does not read camera raw files, whose first image is a thumbnail", async () => {
    const tiff = await sharp(pixels).tiff().toBuffer();
    for (const name of ["a.dng", "a.CR2", "a.nef", "a.arw"])
      assert.equal(write(name, tiff), "an image format that is not read (convert it to JPEG or PNG)", name);
  });

  it("leaves out backups, hidden files, files of systems and other files", async () => {
    const jpeg = await sharp(pixels).jpeg().toBuffer();
    for (const name of ["a.jpg~", "a.jpg.bak", "a.jpg.part", "a.jpg.crdownload"])
      assert.equal(write(name, jpeg), "a backup or an unfinished download", name);
    for (const name of [".DS_Store", "._a.jpg", "Thumbs.db", "desktop.ini", "Icon\r"])
      assert.equal(write(name, jpeg), "hidden or made by a system", name);
    for (const name of ["a.txt", "a.csv", "a.pdf", "README"])
      assert.equal(write(name, "text"), "not an image", name);
  });
});

describe("isServiceFolder", () => {
  it("knows hidden folders and those that tools make, in any case", () => {
    for (const name of [
      ".git",
      ".ipynb_checkpoints",
      "__MACOSX",
      "@eaDir",
      "#recycle",
      "$RECYCLE.BIN",
      "lost+found",
      "System Volume Information",
      "thumbnails",
      "FOUND.000",
      "@Recycle",
    ])
      assert.ok(isServiceFolder(name), name);
    for (const name of ["cat", "thumb", "macosx", "recycle", "found", "_", "@"])
      assert.ok(!isServiceFolder(name), name);
  });
});

describe("walkFolder", () => {
  const inFolder = temporaryFolder();

  it("counts every file once", () => {
    const names = [
      "a/1.png",
      "a/notes.txt",
      ".hidden",
      "@eaDir/a/1.png",
      "@eaDir/a/2.jpg",
      "a/.git/x/y",
      "b/c/d.csv",
      "2.jpg.bak",
    ];
    const { root, leftOut } = walkFolder(writeFiles(inFolder("data"), files(...names)));
    const count = (folder: typeof root): number =>
      folder.folders.reduce((sum, inner) => sum + count(inner), folder.images.length + folder.others.length);
    assert.equal(count(root) + leftOut.count, names.length);
    assert.deepEqual(
      leftOut.list().map(({ reason, folder, ending, count }) => `${count} ${ending} in ${folder}: ${reason}`),
      [
        "1 .bak in .: a backup or an unfinished download",
        "1  in .: hidden or made by a system",
        "1 .jpg in @eaDir: in a hidden folder or one that a tool made",
        "1 .png in @eaDir: in a hidden folder or one that a tool made",
        "1  in a/.git: in a hidden folder or one that a tool made",
      ],
    );
  });

  it("passes over folders of ferkit's runs and models, unless they hold images", () => {
    const run = '{ "train": { "epochs": 1 }, "classNames": ["a", "b"] }';
    const model = '{"userDefinedMetadata":{"ferkit":{"formatVersion":1}}}';
    const { root, leftOut } = walkFolder(
      writeFiles(inFolder("data"), {
        ...files("a/1.png", "b/2.png", "c/notes.txt", "runs/mine/best/weights.bin", "runs/mine/report.html"),
        "runs/mine/config.json": run,
        "runs/mine/best/model.json": model,
        "b/again/config.json": run,
        "small/model.json": model,
        "a/config.json": run, // its images are those of a class
        "other/config.json": '{ "epochs": 1 }',
      }),
    );
    assert.deepEqual(
      root.folders.map(({ name }) => name),
      ["a", "b", "c", "other"],
    );
    assert.deepEqual(leftOut.ownFolders, ["b/again", "runs/mine", "small"]);
    assert.equal(leftOut.count, 0);
    const lines = filesInWords(leftOut.counts(2));
    assert.deepEqual(lines, [
      "files: all 2 are used as images",
      "  3 folders are of ferkit's runs or models, and not read: b/again and others",
    ]);
  });

  it("passes over the pictures of runs and models, but not over class folders beside a run's files", () => {
    const run = '{ "train": { "epochs": 1 }, "classNames": ["a", "b"] }';
    const { root, leftOut } = walkFolder(
      writeFiles(inFolder("data"), {
        ...files("a/1.png", "b/2.png", "runs/x/chart.png", "runs/x/charts/1.png", "runs/x/.DS_Store"),
        ...files("runs/x/.hidden/1.txt", "runs/x/environment.json", "runs/y/metrics.jsonl", "runs/y/c.png"),
        "runs/x/config.json": run,
        "runs/y/config.json": run,
        "runs/latest.json": '{"runDir":"runs/x"}\n',
        "small/model.json": '{"userDefinedMetadata":{"ferkit":{"formatVersion":1}}}',
        ...files("small/card.png", "small/weights-d6fff86f.bin"),
        "b/model.json": '{"userDefinedMetadata":{"ferkit":{"formatVersion":1}}}', // its images are those of a class
        ...files("train/c/1.png", "train/d/1.png", "train/metrics.jsonl"),
        "train/config.json": run,
      }),
    );
    assert.deepEqual(
      root.folders.map(({ name }) => name),
      ["a", "b", "train"],
    );
    assert.equal(root.numImages, 4);
    assert.deepEqual(leftOut.ownFolders, ["runs", "small"]);
    assert.deepEqual([leftOut.count, leftOut.list()], [0, []]);
    const [, line] = filesInWords(leftOut.counts(4));
    assert.equal(
      line,
      "  2 folders are of ferkit's runs or models, and not read, with 4 images: runs and others",
    );
  });

  it("takes a file that cannot be read for none of ferkit's", () => {
    const dir = writeFiles(inFolder("data"), files("a/1.png", "b/config.json", "b/model.json"));
    for (const name of ["config.json", "model.json"]) chmodSync(`${dir}/b/${name}`, 0);
    chmodSync(inFolder(), 0o755);
    const user = process.geteuid?.();
    if (user === 0) process.seteuid?.(65_534); // root reads everything
    try {
      assert.deepEqual(walkFolder(dir).leftOut.ownFolders, []);
    } finally {
      if (user === 0) process.seteuid?.(0);
    }
  });

  const link = (names: string[], links: Record<string, string>) => {
    writeFiles(inFolder(), files(...names));
    for (const [name, target] of Object.entries(links)) {
      mkdirSync(path.dirname(inFolder(name)), { recursive: true });
      symlinkSync(inFolder(target), inFolder(name));
    }
  };
  const paths = () => listFolder(inFolder("data")).samples.map(({ path }) => path);

  it("follows links to class folders, and to folders below and around them", () => {
    link(["pool/cats/1.png", "pool/dogs/2.png", "pool/more/may/3.png"], {
      "shelf/train/cat": "pool/cats",
      "shelf/train/dog": "pool/dogs",
      "shelf/train/dog2.png": "pool/more",
      "shelf/val": "shelf/train",
      "data/shelf": "shelf",
    });
    const { root, samples } = listFolder(inFolder("data"));
    assert.equal(root, inFolder("data/shelf"));
    assert.deepEqual(
      samples.map(({ split, path }) => `${split} ${path}`),
      ["train train/", "validation val/"].flatMap((split) => [
        `${split}cat/1.png`,
        `${split}dog/2.png`,
        `${split}dog2.png/may/3.png`,
      ]),
    );
  });

  it("does not follow a link back to a folder around it, and counts it", () => {
    link(["data/a/1.png", "data/b/c/2.png"], {
      "data/here": "data",
      "data/a/up": "data",
      "data/b/self": "data/b",
      "data/b/c/above": "",
    });
    assert.deepEqual(paths(), ["a/1.png", "b/c/2.png"]);
    assert.equal(listFolder(inFolder("data")).leftOut.count, 4);
  });

  it("does not follow a link from a folder outside to a folder around it", () => {
    link(["data/a/1.png", "pool/b/2.png", "pool/c/3.png"], { "data/b": "pool/b", "pool/b/up": "pool" });
    assert.deepEqual(paths(), ["a/1.png", "b/2.png"]);
  });

  it("does not follow a link from outside back to the data set", () => {
    link(["data/a/1.png", "data/b/2.png", "pool/3.png"], { "data/b/pool": "pool", "pool/back": "data" });
    assert.deepEqual(paths(), ["a/1.png", "b/2.png", "b/pool/3.png"]);
  });

  it("counts a folder once in a class, with any number of circular links to it", () => {
    const names = Array.from({ length: 12 }, (_, i) => `pool${i}`);
    const links = names.flatMap((from) => names.map((to) => [`${from}/to-${to}`, to]));
    link([...names.map((name) => `${name}/${name}.png`), "data/a/1.png"], {
      ...Object.fromEntries(links.filter(([name, to]) => !name.startsWith(`${to}/`))),
      "data/b": "pool0",
    });
    const found = paths()
      .map((file) => path.basename(file))
      .sort();
    assert.deepEqual(found, ["1.png", ...names.map((name) => `${name}.png`)].sort());
  });

  it("ends with folders that link to each other", () => {
    link(["other/notes.txt"], { "data/link": "other", "other/link": "third", "third/link": "other" });
    assert.throws(paths, /but found no images in class folders\. Move each image/);
  });

  it("keeps a broken link to an image, which is reported as unreadable, and counts other links", () => {
    link(["data/a/1.png", "data/b/2.png", "notes.txt"], {
      "data/b/3.png": "nowhere",
      "data/gone": "nowhere",
      "data/notes": "notes.txt",
    });
    assert.deepEqual(paths(), ["a/1.png", "b/2.png", "b/3.png"]);
    const { leftOut } = listFolder(inFolder("data"));
    assert.deepEqual(
      leftOut.list().map(({ reason, example }) => `${example}: ${reason}`),
      ["gone: a link to nothing", "notes: not an image"],
    );
  });

  it("leaves out folders and files whose names are not UTF-8, and says what to do", function () {
    const dir = writeFiles(inFolder("data"), { "a/1.png": "x", "b/2.png": "x", "ok\ufffd/3.png": "x" });
    const bytes = Buffer.concat([Buffer.from(`${dir}/caf`), Buffer.from([0xe9])]);
    try {
      mkdirSync(bytes);
    } catch {
      this.skip(); // such as macOS, whose file systems take no such name
    }
    writeFileSync(Buffer.concat([bytes, Buffer.from("/4.png")]), "x");
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/a/`), Buffer.from([0xe9]), Buffer.from(".png")]), "x");
    assert.deepEqual(paths(), ["a/1.png", "b/2.png", "ok\ufffd/3.png"]);
    assert.deepEqual(
      listFolder(dir)
        .leftOut.list()
        .map(({ reason, example }) => `${example}: ${reason}`),
      [
        "caf\ufffd: its name is not UTF-8, so it cannot be opened: rename it",
        "a/\ufffd.png: its name is not UTF-8, so it cannot be opened: rename it",
      ],
    );
  });
});
