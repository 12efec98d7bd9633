import assert from "node:assert/strict";
import { tableBesideImages } from "./tables-beside-images.js";

describe("values of labels", () => {
  const { inFolder, read, labels } = tableBesideImages();

  it("says that it reads combinations of tags as classes", () => {
    for (const header of ["tags", "labels"])
      assert.deepEqual(read(`file,${header}\na.png,clear primary\nb.png,haze primary\nc.png,haze\n`)?.notes, [
        `Each combination in the column ${header} of labels.csv is read as one class, such as clear primary: ferkit learns one label an image.`,
      ]);
    for (const table of [
      "file,breed\na.png,bull terrier\nb.png,bull dog\n",
      "file,tags\na.png,clear\nb.png,haze\nc.png,haze primary\n",
    ])
      assert.deepEqual(read(table)?.notes, []);
  });

  it("refuses lists and objects as labels, except a list of one", () => {
    const lines = ['{"file_name":"a.png","label":["cat"]}', '{"file_name":"b.png","label":"dog"}'];
    assert.equal(labels(lines.join("\n"), {}, "metadata.jsonl"), "cat, dog");
    for (const label of ['{"name":"cat"}', '["cat","dog"]'])
      assert.throws(
        () => read([...lines, `{"file_name":"c.png","label":${label}}`].join("\n"), {}, "metadata.jsonl"),
        {
          name: "InputError",
          message: `Expected a name or a number in the column label at ${inFolder("data/metadata.jsonl")} but found ${label} in 1 of 3 rows. Fix these values, or choose another column with --label-column NAME.`,
        },
      );
  });

  it("reads missing values as such, and says which words it takes for classes", () => {
    const listing = read("file,label\na.png,cat\nb.png,nan\nc.png,<NA>\nd.png,none\ne.png,\n");
    assert.deepEqual(
      listing?.samples.map(({ className }) => className),
      ["cat", "none"],
    );
    assert.deepEqual(listing?.notes, [
      "Rows of labels.csv whose label is nan or <NA>, which are read as rows without one: 2.",
      "The label none of labels.csv is read as a class. Remove these rows if it stands for no label.",
    ]);
  });

  it("reads whole numbers with and without decimals as one class", () => {
    const listing = read("file,label\na.png,1\nb.png,1.0\nc.png,2.0\nd.png,2.\n");
    assert.deepEqual(
      listing?.samples.map(({ className }) => className),
      ["1", "1", "2", "2"],
    );
    assert.deepEqual(listing?.notes, [
      "Numbers in the labels of labels.csv are whole, and 1.0 is read as 1.",
    ]);
    assert.equal(labels("file,label\na.png,1.0\nb.png,v2.0\n"), "1.0, v2.0");
    assert.equal(labels("file,label\na.png,1.0\nb.png,1\nc.png,cat\n"), "1, 1, cat");
  });
});
