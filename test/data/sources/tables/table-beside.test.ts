import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { readSource, type SourceOptions } from "../../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

describe("readSource, for a table beside class folders", () => {
  const inFolder = temporaryFolder();
  const make = (images: string[], tables: Record<string, string>) =>
    writeFiles(inFolder("data"), { ...Object.fromEntries(images.map((name) => [name, "x"])), ...tables });
  const read = async (data: string, options: Partial<SourceOptions> = {}) => {
    const { listing } = await readSource({ data, seed: 0, ...options });
    const inWords = ({ path, className, split }: (typeof listing.samples)[number]) =>
      `${path} ${className} ${split}`;
    return { ...listing, found: listing.samples.map(inWords).sort() };
  };
  const IMAGES = ["cat/1.jpg", "cat/2.jpg", "dog/3.jpg", "dog/4.jpg"];
  const PARTS = ["1.jpg,train", "2.jpg,val", "3.jpg,train", "4.jpg,val"];
  const SPLIT = [
    ...["cat/1.jpg cat train", "cat/2.jpg cat validation"],
    ...["dog/3.jpg dog train", "dog/4.jpg dog validation"],
  ];

  for (const [name, file, table] of [
    [
      "with labels",
      "labels.csv",
      "file,split,label\n1.jpg,train,cat\n2.jpg,val,cat\n3.jpg,train,dog\n4.jpg,val,dog\n",
    ],
    ["without labels", "splits.csv", `file,split\n${PARTS.join("\n")}\n`],
  ])
    it(`takes the split from a table ${name}, and says so`, async () => {
      const dir = make(IMAGES, { [file]: table });
      const { found, notes, labels } = await read(dir);
      assert.deepEqual(found, SPLIT);
      assert.equal(labels, "class folders");
      assert.deepEqual(notes, [
        `The column split of ${file} is used as the split (--split-column none leaves it unread).`,
      ]);
      const chosen = await read(dir, { labels: "folders" });
      assert.deepEqual([chosen.found, chosen.notes], [found, notes]);
      const own = await read(dir, { splitColumn: "none" });
      assert.deepEqual([own.found[0], own.notes], ["cat/1.jpg cat null", []]);
    });

  it("takes it from a table without a header", async () => {
    const { found, notes } = await read(make(IMAGES, { "splits.csv": `${PARTS.join("\n")}\n` }));
    assert.deepEqual(found, SPLIT);
    assert.deepEqual(notes, [
      "Column 2 of splits.csv is used as the split (--split-column none leaves it unread).",
    ]);
  });

  it("leaves out images without a part, and does not use a split that most are not in", async () => {
    const dir = make(IMAGES, { "splits.csv": `file,split\n${PARTS.slice(0, 3).join("\n")}\n4.jpg,extra\n` });
    const { found, notes, leftOut } = await read(dir);
    assert.deepEqual(found, SPLIT.slice(0, 3));
    assert.deepEqual(notes, [
      "The column split of splits.csv is used as the split (--split-column none leaves it unread).",
    ]);
    assert.deepEqual(leftOut.list()[0].reason, "in no part of the split");
    make([], { "splits.csv": `file,split\n${PARTS.slice(0, 3).join("\n")}\n` });
    assert.deepEqual((await read(dir)).notes, [
      "The column split of splits.csv is used as the split (--split-column none leaves it unread). It has no part for 1, which are not used.",
    ]);
    make(["dog/5.jpg", "dog/6.jpg", "dog/7.jpg"], {});
    const most = await read(dir);
    assert.equal(most.found[0], "cat/1.jpg cat null");
    assert.deepEqual(most.notes, [
      "The column split of splits.csv is not used as a split, since 4 of 7 images have no part in it, such as dog/4.jpg.",
    ]);
  });

  it("keeps the split of the folders, and says where a table has another", async () => {
    const dir = make(["train/cat/1.jpg", "val/cat/2.jpg", "train/dog/3.jpg", "val/dog/4.jpg"], {
      "splits.csv": `file,split\n${PARTS.join("\n")}\n`,
    });
    const own = await read(dir);
    assert.deepEqual(own.notes, []);
    make([], { "splits.csv": "file,split\n1.jpg,val\n2.jpg,val\n3.jpg,train\n4.jpg,train\n" });
    const other = await read(dir);
    assert.deepEqual(other.found, own.found);
    assert.deepEqual(other.notes, [
      "The column split of splits.csv puts 2 of 4 images into another part than their folders, for example train/cat/1.jpg into validation. The folders are used (--split-column split takes the column).",
    ]);
    make([], {
      "splits.csv": "file,split,label\n1.jpg,val,cat\n2.jpg,val,cat\n3.jpg,train,dog\n4.jpg,train,dog\n",
    });
    assert.deepEqual((await read(dir)).notes, [
      "The column split of splits.csv puts 2 of 4 images into another part than their folders, for example train/cat/1.jpg into validation. The folders are used (--split-column split takes the column).",
    ]);
    const chosen = await read(dir, { labels: "splits.csv" });
    assert.equal(chosen.found[0], "train/cat/1.jpg cat validation");
    assert.deepEqual(chosen.notes, [
      "The column split of splits.csv is read as the split (--split-column none leaves it unread).",
      "splits.csv puts 2 of 4 images into another part than their folders, for example train/cat/1.jpg into validation. The table is used (--labels folders takes the folders).",
    ]);
  });

  it("takes the split of a column that was chosen, in place of the folders'", async () => {
    const dir = make(["train/cat/1.jpg", "val/cat/2.jpg", "train/dog/3.jpg", "val/dog/4.jpg"], {
      "splits.csv": "file,split,half\n1.jpg,val,train\n2.jpg,val,val\n3.jpg,train,train\n4.jpg,train,val\n",
    });
    const { found, notes } = await read(dir, { splitColumn: "split" });
    assert.deepEqual(found.slice(0, 2), ["train/cat/1.jpg cat validation", "train/dog/3.jpg dog train"]);
    assert.deepEqual(notes, [
      "The column split of splits.csv is used as the split (--split-column none leaves it unread).",
    ]);
    await assert.rejects(read(dir, { splitColumn: "part" }), {
      name: "InputError",
      message: `Expected the column part, for --split-column at ${dir}/splits.csv but found file, split, half. Choose one of these, or none.`,
    });
    assert.deepEqual((await read(dir, { splitColumn: "split", labels: "folders" })).found, found);
    rmSync(`${dir}/splits.csv`);
    await assert.rejects(read(dir, { splitColumn: "split", labels: "folders" }), {
      message: `Expected a table with the column split, for --split-column at ${dir} but found none beside class folders. Remove --split-column, or choose the table with --labels.`,
    });
  });

  it("takes the split from a table whose labels are not clear", async () => {
    const table = "file,age,sex,split\n1.jpg,3,m,train\n2.jpg,4,f,val\n3.jpg,5,f,train\n4.jpg,6,m,val\n";
    const dir = make(IMAGES, { "persons.csv": table });
    const { found, notes } = await read(dir);
    assert.deepEqual(found, SPLIT);
    assert.deepEqual(notes, [
      `A table beside the class folders is not compared with them. Expected one column of labels at ${dir}/persons.csv but found age, sex. Choose one with --label-column NAME.`,
      "The column split of persons.csv is used as the split (--split-column none leaves it unread).",
    ]);
  });

  it("says why a split is not read", async () => {
    const dir = make(IMAGES, { "splits.csv": `file,split\n${PARTS.slice(0, 3).join("\n")}\n4.jpg,trian\n` });
    const message = `Expected train, validation, test, or unsup and extra, which are left out, in the column split at ${dir}/splits.csv but found trian in 1 of 4 rows, as that of 4.jpg. Fix these values, or leave the column unread with --split-column none.`;
    assert.deepEqual((await read(dir)).notes, [
      `A table beside the class folders is not compared with them. ${message}`,
    ]);
  });

  describe("with a usual name", () => {
    const cameras = (...files: string[]) =>
      `file_name,camera\n${files.map((file, i) => `${file},cam${i % 2}\n`).join("")}`;

    it("asks whether the folders or the table have the labels", async () => {
      const oneHot = `filename,a,b\n${IMAGES.map((file, i) => `${file},${i % 2},${1 - (i % 2)}\n`).join("")}`;
      const lines = IMAGES.map((file, i) => `{"file_name":"${file}","camera":"cam${i % 2}"}\n`).join("");
      for (const [file, table, classes] of [
        ["metadata.csv", cameras(...IMAGES), "cam0, cam1"],
        ["metadata.jsonl", lines, "cam0, cam1"],
        ["_classes.csv", oneHot, "a, b"],
      ]) {
        rmSync(inFolder("data"), { recursive: true, force: true });
        const dir = make(IMAGES, { [file]: table });
        await assert.rejects(read(dir), {
          name: "InputError",
          message: `Expected one kind of labels at ${dir} but found the folders cat, dog, and ${file} with ${classes}. Choose with --labels folders or --labels ${file}.`,
        });
        assert.equal((await read(dir, { labels: "folders" })).found[0], "cat/1.jpg cat null");
      }
    });

    it("keeps the folders beside tables of single classes, with a note", async () => {
      const dir = make(IMAGES, {
        "cat/metadata.csv": cameras("1.jpg", "2.jpg"),
        "dog/metadata.csv": cameras("3.jpg", "4.jpg"),
      });
      const { found, notes } = await read(dir);
      assert.equal(found[0], "cat/1.jpg cat null");
      assert.deepEqual(notes, [
        `A table beside the class folders is not compared with them. Expected one table of labels, or one for each part of the split at ${dir} but found cat/metadata.csv, dog/metadata.csv. Choose one with --labels FILE, or several with --labels cat/metadata.csv,dog/metadata.csv.`,
      ]);
    });
  });

  describe("of another kind, or that names no image", () => {
    const COCO = JSON.stringify({
      images: [{ file_name: "1.jpg" }],
      annotations: [{ image_id: 1, bbox: [0, 0, 1, 1] }],
    });
    const unread = {
      "labels.xlsx": "labels.xlsx, which is not read, since .xlsx files are not read",
      "instances.json":
        "instances.json, which is not read, since it has boxes in images, as those of COCO, and not one label for each image",
    };
    for (const [file, found] of Object.entries(unread)) {
      it(`says that ${file} is not read`, async () => {
        const dir = make(IMAGES, { [file]: COCO, "report.xlsx": "x" });
        assert.deepEqual((await read(dir)).notes, [`Images are labelled by their folders, not by ${found}.`]);
        assert.deepEqual((await read(dir, { labels: "folders" })).notes, []);
      });

      it(`refuses ${file} beside folders that look like pieces of a data set`, async () => {
        const dir = make(["part1/1.jpg", "part2/2.jpg"], { [file]: COCO });
        const fix = file.endsWith("xlsx")
          ? "Save it as CSV."
          : "Write a CSV with the columns file and label.";
        await assert.rejects(read(dir), {
          name: "InputError",
          message: `Expected class folders, or a table that names images at ${dir} but found the folders part1, part2, and ${found}. ${fix} Or choose --labels folders if these are the classes.`,
        });
        assert.equal((await read(dir, { labels: "folders" })).found.length, 2);
      });
    }

    it("says that a table names no image", async () => {
      const dir = make(IMAGES, { "labels.csv": "id,label\nx1,cat\nx2,dog\nx3,cat\nx4,dog\n" });
      assert.deepEqual((await read(dir)).notes, [
        "Images are labelled by their folders, not by labels.csv, whose column id names none of them: x1, beside images such as cat/1.jpg.",
      ]);
    });

    it("refuses one beside a single folder, whose images it may label", () => {
      const dir = make(["jpg/1.jpg", "jpg/2.jpg"], { "imagelabels.mat": "x" });
      return assert.rejects(read(dir), {
        message: `Expected class folders, or a table that names images at ${dir} but found the folders jpg, and imagelabels.mat, which is not read, since .mat files are not read. Save it as CSV. Or choose --labels folders if these are the classes.`,
      });
    });

    it("says nothing of lists of the classes", async () => {
      const dir = make(["cat/x.jpg", "dog/y.jpg"], {
        "labels.txt": "0 cat\n1 dog\n",
        "class_indices.json": '{"cat": 0, "dog": 1}',
        "classes.csv": "id,name\n0,cat\n1,dog\n",
        "config.json": "{}",
      });
      assert.deepEqual((await read(dir)).notes, []);
    });

    it("says nothing of tables that agree, and of JSON about single images", async () => {
      const dir = make(IMAGES, {
        "cat/1.json": '{"x": 1}',
        "labels.json": '{"1.jpg": "cat", "3.jpg": "dog"}',
      });
      assert.deepEqual((await read(dir)).notes, []);
    });
  });

  it("says that a column may be of groups, if it is the only one", async () => {
    const dir = make(IMAGES, { "meta.csv": "file,patient\n1.jpg,p1\n2.jpg,p1\n3.jpg,p2\n4.jpg,p2\n" });
    const { found, notes, groupHint } = await read(dir);
    assert.deepEqual([found[0], notes], ["cat/1.jpg cat null", []]);
    assert.equal(
      groupHint,
      "The column patient of meta.csv may say which images belong together, and they are not held out together (--group patient does so).",
    );
    assert.equal((await read(dir, { group: "patient" })).samples[0].group, "p1");
    await assert.rejects(read(dir, { labelColumn: "patient" }), {
      message: `Expected one kind of labels at ${dir} but found the folders cat, dog, and meta.csv with p1, p2. Choose with --labels folders or --labels meta.csv.`,
    });
  });

  it("keeps the folders beside a table that has no label for their images", async () => {
    const dir = make([...IMAGES, "5.jpg"], {
      "t.csv": "file,label\n1.jpg,\n2.jpg,\n3.jpg,\n5.jpg,bird\n",
    });
    const { labels, found, notes } = await read(dir);
    assert.deepEqual([labels, found.length, notes], ["class folders", 4, []]);
  });

  it("refuses a column that was chosen where no table is read", async () => {
    const dir = make(IMAGES, {});
    const chosen = { "--label-column": { labelColumn: "foo" }, "--path-column": { pathColumn: "foo" } };
    for (const [option, choice] of Object.entries(chosen))
      for (const others of [{}, { labels: "folders" }])
        await assert.rejects(read(dir, { ...choice, ...others }), {
          name: "InputError",
          message: `Expected a table with the column foo, for ${option} at ${dir} but found none beside class folders. Remove ${option}, or choose the table with --labels.`,
        });
  });

  it("refuses a column of names for images that are in no table, or in its cells", async () => {
    const dir = make(IMAGES, {});
    const byName = { labelPattern: "^(\\w+)/" };
    for (const [option, choice] of Object.entries({
      "--label-column": { labelColumn: "foo" },
      "--path-column": { pathColumn: "foo" },
    }))
      await assert.rejects(read(dir, { ...choice, ...byName }), {
        message: `Expected a table with the column foo, for ${option} at ${dir} but found none beside file names, by ^(\\w+)/. Remove ${option}, or remove --label-pattern.`,
      });
    const pixels = writeFiles(inFolder("pixels"), { "t.csv": "label,pixels,foo\n1,0 0 0 0,x\n" });
    await assert.rejects(read(`${pixels}/t.csv`, { pathColumn: "foo" }), {
      message: `Expected a table with the column foo, for --path-column at ${pixels}/t.csv but found none beside a table of pixels. Remove --path-column, or choose the table with --labels.`,
    });
  });

  describe("in folders that look like pieces of a data set", () => {
    const PIECES = ["HAM_images_part_1/1.jpg", "HAM_images_part_1/2.jpg", "HAM_images_part_2/3.jpg"];

    it("reads a table of JSON of any name", async () => {
      const records = ["cat", "dog", "cat"].map((label, i) => ({ image: `${i + 1}.jpg`, label }));
      const dir = make(PIECES, { "project-1.json": JSON.stringify(records) });
      const { found, notes } = await read(dir);
      assert.deepEqual(
        found,
        PIECES.map((file, i) => `${file} ${records[i].label} null`),
      );
      assert.deepEqual(notes, [
        "The folders HAM_images_part_1, HAM_images_part_2 do not look like classes, so the labels are those of project-1.json (--labels folders takes the folders).",
      ]);
    });

    it("reads a table beside folders that are numbered", async () => {
      const dir = make(["0000/1.jpg", "0000/2.jpg", "0001/3.jpg"], {
        "metadata.csv": "file_name,label\n0000/1.jpg,cat\n0000/2.jpg,dog\n0001/3.jpg,cat\n",
      });
      const { found, notes } = await read(dir);
      assert.deepEqual(found, ["0000/1.jpg cat null", "0000/2.jpg dog null", "0001/3.jpg cat null"]);
      assert.deepEqual(notes, [
        "The folders 0000, 0001 do not look like classes, so the labels are those of metadata.csv (--labels folders takes the folders).",
      ]);
      assert.equal((await read(dir, { labels: "folders" })).found[0], "0000/1.jpg 0000 null");
    });

    it("reads a table beside folders that differ in a letter or number, but not beside numbered classes", async () => {
      const table = (a: string, b: string) =>
        `file,site,label\n${a}/1.jpg,${a},cat\n${a}/2.jpg,${a},dog\n${b}/3.jpg,${b},cat\n`;
      for (const [a, b] of [
        ["siteA", "siteB"],
        ["mouse_1", "mouse_2"],
      ]) {
        const dir = make([`${a}/1.jpg`, `${a}/2.jpg`, `${b}/3.jpg`], { "metadata.csv": table(a, b) });
        const { found, notes } = await read(dir);
        assert.deepEqual(found, [`${a}/1.jpg cat null`, `${a}/2.jpg dog null`, `${b}/3.jpg cat null`]);
        assert.deepEqual(
          notes.at(-1),
          `The folders ${a}, ${b} do not look like classes, so the labels are those of metadata.csv (--labels folders takes the folders).`,
        );
        assert.equal((await read(dir, { labels: "folders" })).found[0], `${a}/1.jpg ${a} null`);
        rmSync(dir, { recursive: true });
      }
      const dir = make(["class_1/1.jpg", "class_1/2.jpg", "class_2/3.jpg"], {
        "metadata.csv": table("class_1", "class_2"),
      });
      await assert.rejects(read(dir), {
        message: `Expected one kind of labels at ${dir} but found the folders class_1, class_2, and metadata.csv with cat, dog. Choose with --labels folders or --labels metadata.csv.`,
      });
      assert.equal((await read(dir, { labels: "metadata.csv" })).found[0], "class_1/1.jpg cat null");
    });

    it("asks for the column of labels if several may be meant", async () => {
      for (const folders of [PIECES, ["2024-01-02/1.jpg", "2024-01-02/2.jpg", "2024-01-03/3.jpg"]]) {
        rmSync(inFolder("data"), { recursive: true, force: true });
        const names = [...new Set(folders.map((file) => file.split("/")[0]))].join(", ");
        const dir = make(folders, { "meta.csv": "file,dx,sex\n1.jpg,nv,f\n2.jpg,mel,m\n3.jpg,nv,m\n" });
        await assert.rejects(read(dir), {
          name: "InputError",
          message: `Expected one column of labels at ${dir}/meta.csv but found dx, sex. Choose one with --label-column NAME. Or choose --labels folders if the folders ${names} are the classes.`,
        });
        assert.deepEqual((await read(dir, { labels: "folders" })).notes, []);
        assert.equal((await read(dir, { labels: "meta.csv", labelColumn: "dx" })).samples[0].className, "nv");
      }
    });
  });

  it("says that JSON with lists is not compared", async () => {
    const dir = make(IMAGES, { "marks.json": '{"cat/1.jpg": [1, 2], "cat/2.jpg": [3, 4]}' });
    assert.deepEqual((await read(dir)).notes, [
      `A table beside the class folders is not compared with them. Expected a name or a number in column 2 at ${dir}/marks.json but found [1,2] in 2 of 2 rows. Fix these values, or choose another column with --label-column NAME.`,
    ]);
  });

  it("takes no list of names of classes for a table of a few images", async () => {
    const images = [1, 2, 3, 4, 5].flatMap((i) => [`a/000${i}.jpg`, `b/001${i}.jpg`]);
    const dir = make(images, { "cat_to_name.json": '{"1": "rose", "2": "tulip"}' });
    const { labels, notes } = await read(dir);
    assert.deepEqual([labels, notes], ["class folders", []]);
  });

  it("says nothing of JSON that names no images, or of more of it than labels have", async () => {
    const images = ["a/1.jpg", "a/2.jpg", "b/3.jpg", "b/4.jpg"];
    const records = JSON.stringify(images.map((file) => ({ file, label: "cat" })));
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`json/x${i}.json`, records]));
    const dir = make(images, { "settings.json": '{"a": 1, "b": 2}', "1.json": records, ...many });
    assert.deepEqual((await read(dir)).notes, []);
    writeFiles(dir, { "t.csv": `file,label\n${images.map((file) => `${file},cat\n`).join("")}` });
    await assert.rejects(read(dir), /found the folders a, b, and t\.csv with cat\./);
  });
});
