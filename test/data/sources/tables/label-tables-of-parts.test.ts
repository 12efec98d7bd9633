import assert from "node:assert/strict";
import { FILES, images, tablesBesideImages } from "./tables-beside-images.js";

describe("readLabelTables, of several tables or parts", () => {
  const { inFolder, read, summary, rejects } = tablesBesideImages();

  it("takes the image in the folder of the row's part if the other parts have the same names", () => {
    const files = images(
      "train_images/0.png",
      "train_images/1.png",
      "test_images/0.png",
      "test_images/1.png",
    );
    const found = [
      "test_images/0.png dog test",
      "test_images/1.png cat test",
      "train_images/0.png cat train",
      "train_images/1.png dog train",
    ];
    const column = "image,split,label\n0.png,train,cat\n1.png,train,dog\n0.png,test,dog\n1.png,test,cat\n";
    assert.deepEqual(summary({ ...files, "labels.csv": column }), found);
    const tables = {
      "train_labels.csv": "image,label\n0.png,cat\n1.png,dog\n",
      "test_labels.csv": "image,label\n0.png,dog\n1.png,cat\n",
    };
    assert.deepEqual(summary({ ...files, "labels.csv": "", ...tables }), found);
    const competition = { "trainLabels.csv": "id,label\n0,cat\n1,dog\n" };
    assert.deepEqual(
      summary({ ...files, "labels.csv": "", "train_labels.csv": "", "test_labels.csv": "", ...competition }),
      found.slice(2),
    );
  });

  it("leaves out tables without the labels of others, as a competition's test.csv, and says so", () => {
    const metadata = "image,age,sex\n1,50,m\n2,60,f\n3,60,f\n";
    for (const [labels, name, choice] of [
      ["image,MEL,NV\n1,1.0,0.0\n2,0.0,1.0\n3,0.0,1.0\n", "MEL, NV", {}],
      ["image,label,sex\n1,x,m\n2,y,f\n3,y,f\n", "label", {}],
      ["image,dx,sex\n1,x,m\n2,y,f\n3,y,f\n", "dx", { labelColumn: "dx" }],
    ] as const) {
      const notes =
        read({ ...FILES, "Metadata.csv": metadata, "GroundTruth.csv": labels }, choice)?.notes ?? [];
      assert.ok(notes.includes(`Metadata.csv is not read, since it has no column ${name}.`), notes.join());
    }
  });

  it("names another table that has labels if the columns of one are not clear", () => {
    rejects(
      {
        ...FILES,
        "Metadata.csv": "image,age,sex\n1,50,m\n2,60,f\n3,60,f\n",
        "b.csv": "image,kind\n1,x\n2,y\n3,y\n",
      },
      `Expected one column of labels at ${inFolder("data/Metadata.csv")} but found age, sex. Choose --labels b.csv if it has the labels. Otherwise choose one with --label-column NAME.`,
    );
  });

  it("says how to choose tables of the parts, or of different images", () => {
    const rejectsWith = (files: Record<string, string>, found: string, chosen: string) =>
      rejects(
        { ...FILES, ...files },
        `Expected one table of labels, or one for each part of the split at ${inFolder("data")} but found ${found}. Choose one with --labels FILE, or several with --labels ${chosen}.`,
      );
    const [one, two] = ["image,label\n1.jpg,cat\n", "image,label\n2.jpg,dog\n"];
    rejectsWith({ "a.csv": one, "b.csv": two }, "a.csv, b.csv", "a.csv,b.csv");
    const parts = { "a.csv": "image,label\n1.jpg,x\n", "b.csv": "", "train.csv": one, "val.csv": two };
    rejectsWith(parts, "a.csv, train.csv, val.csv", "train.csv,val.csv");
  });
});
