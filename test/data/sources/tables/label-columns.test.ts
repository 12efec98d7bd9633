import assert from "node:assert/strict";
import type { LabelChoice } from "../../../../src/data/sources/tables/label-columns.js";
import { tableBesideImages } from "./tables-beside-images.js";

describe("columns of labels", () => {
  const { inFolder, read, labels } = tableBesideImages();
  const oneHot = (header: string, values: string[]) =>
    `file,${header}\n${values.map((row, i) => `${"abcde"[i]}.png,${row.split("").join(",")}\n`).join("")}`;
  const where = () => inFolder("data/labels.csv");

  it("reads columns of 0 and 1 as classes, whatever their names are", () => {
    for (const name of ["y", "type", "tag", "class", "target", "disease", "valid", "val", "split"])
      assert.equal(labels(oneHot(`w,${name},z`, ["100", "010", "001"])), `w, ${name}, z`);
    const words = "file,w,y,z\na.png,True,False,False\nb.png,False,True,False\nc.png,False,False,True\n";
    assert.equal(labels(words), "w, y, z");
    const index = ",file,w,y,z\n0,a.png,1,0,0\n1,b.png,0,1,0\n2,c.png,0,0,1\n";
    assert.equal(labels(index), "w, y, z");
  });

  it("reads Roboflow's table so, also with rows of several classes, and with a single class", () => {
    assert.equal(labels(oneHot("y,valid,z", ["110", "010", "001"]), {}, "_classes.csv"), "valid, z");
    assert.equal(labels(oneHot("cat", ["1", "1"]), {}, "_classes.csv"), "cat, cat");
  });

  it("refuses two columns of one name with other values, and reads one if they are equal", () => {
    const rejects = (table: string, found: string, choice: LabelChoice = {}) =>
      assert.throws(() => read(table, choice), {
        name: "InputError",
        message: `Expected ${found}. Rename or remove one of them.`,
      });
    rejects(
      "file,label,label\na.png,cat,cat\nb.png,dog,owl\n",
      `one column label at ${where()} but found columns 2 and 3 of that name, with dog and owl for b.png`,
    );
    rejects(
      "file,split,kind,split\na.png,train,cat,val\nb.png,val,dog,val\n",
      `one column split at ${where()} but found columns 2 and 4 of that name, with train and val for a.png`,
    );
    rejects(
      "file,label,file\na.png,cat,c.png\nb.png,dog,d.png\n",
      `one column that names the images at ${where()} but found file and file, which may all do`,
    );
    rejects(
      oneHot("cat,dog,cat", ["100", "010"]),
      `one column cat at ${where()} but found columns 2 and 4 of that name, with 1 and 0 for a.png`,
    );
    const kinds = "file,kind,label,kind\na.png,x,cat,y\nb.png,,dog,y\n";
    assert.equal(labels(kinds), "cat, dog");
    rejects(
      kinds,
      `one column kind at ${where()} but found columns 2 and 4 of that name, with x and y for a.png`,
      {
        labelColumn: "kind",
      },
    );
    assert.equal(labels("file,label,label\na.png,cat,cat\nb.png,dog,dog\n"), "cat, dog");
  });

  it("keeps a column of the split beside such classes", () => {
    assert.equal(
      labels(oneHot("cat,dog,is_valid", ["100", "010", "101"])),
      "cat train, dog train, cat validation",
    );
    assert.equal(
      labels("file,y,z,split\na.png,1,0,train\nb.png,0,1,train\nc.png,0,1,val\n"),
      "y train, z train, z validation",
    );
  });

  it("keeps a column of labels beside others of 0 and 1", () => {
    assert.equal(labels(oneHot("label,old,smiles", ["011", "100", "111", "000"])), "0, 1, 1, 0");
    assert.equal(labels("file,label,cat,dog\na.png,cat,1,0\nb.png,dog,0,1\n"), "cat, dog");
    assert.equal(labels(oneHot("label,is_valid", ["00", "10", "11"])), "0 train, 1 train, 1 validation");
  });

  it("takes the names of classes beside their numbers, but asks if they are of other classes", () => {
    const table = "file,label,class_name\na.png,0,cat\nb.png,1,dog\nc.png,1,dog\n";
    assert.equal(labels(table), "cat, dog, dog");
    assert.throws(() => labels(table.replace("b.png,1", "b.png,0")), {
      message:
        /^Expected one column of labels at .* but found label, class_name\. Choose one with --label-column NAME\.$/,
    });
  });

  it("says which column has the labels if another one may have them", () => {
    const rows = (header: string, values: string[]) =>
      `file,${header}\n${values.map((row, i) => `${"abcd"[i]}.png,${row}\n`).join("")}`;
    const notes = (table: string, choice: LabelChoice = {}) => read(table, choice)?.notes;
    const table = rows("site,species,code,width,patient_id,split", [
      "north,oak,7,30,p1,train",
      "south,oak,7,31,p2,train",
      "north,elm,9,32,p3,val",
      "south,elm,9,33,p4,val",
    ]);
    assert.equal(labels(table), "oak train, oak train, elm validation, elm validation");
    assert.deepEqual(notes(table), [
      "The labels of labels.csv are those of the column species, not of site (--label-column NAME takes another).",
      "The column split of labels.csv is read as the split (--split-column none leaves it unread).",
    ]);
    assert.equal(notes(table, { labelColumn: "species" })?.length, 1);
    assert.deepEqual(notes(rows("type,code", ["ap,7", "pa,8", "ap,7", "pa,8"])), []);
    const vague = rows("type,aged", ["ap,1", "pa,1", "ap,0", "pa,0"]);
    assert.deepEqual(notes(vague), [
      "The labels of labels.csv are those of the column type, not of aged (--label-column NAME takes another).",
    ]);
  });

  it("asks which column has the labels if that with a vague name is beside another with words", () => {
    for (const name of ["type", "tag", "y"])
      assert.throws(
        () => read(`file,${name},finding\na.png,ap,ill\nb.png,pa,ill\nc.png,ap,well\nd.png,pa,well\n`),
        {
          name: "InputError",
          message: `Expected one column of labels at ${where()} but found ${name}, finding. Choose one with --label-column NAME.`,
        },
      );
  });

  it("refuses columns of 0 and 1 that are no classes, with several 1s in many rows", () => {
    const table = oneHot("male,smiles,glasses", ["110", "011", "100", "000", "001"]);
    assert.throws(() => read(table), {
      name: "InputError",
      message: `Expected one label for each image at ${where()} but found several 1s in 2 of 5 rows, in the columns male, smiles, glasses. Choose one of them with --label-column NAME, for classes 0 and 1, or all with --label-column male,smiles,glasses to leave these rows out.`,
    });
    assert.equal(labels(table, { labelColumn: "smiles" }), "1, 1, 0, 0, 0");
    assert.equal(labels(table, { labelColumn: "male,smiles,glasses" }), "male, glasses");
    assert.equal(labels(oneHot("cat,dog", ["10", "01", "10", "01", "11"])), "cat, dog, cat, dog"); // a fifth
  });

  it("asks if the columns may be classes or not", () => {
    const refuses = (table: string, found: string, columns: string) =>
      assert.throws(() => read(table), {
        name: "InputError",
        message: `Expected one meaning of the columns of 0 and 1 at ${where()} but found ${found} is also the usual name of another column. Choose --label-column ${columns} if each is a class, or --label-column NAME for one column of labels.`,
      });
    const most = oneHot("w,y,z", ["100", "010", "001", "010", "011"]);
    refuses(most, "w, y, z, with a single 1 in most rows, of which y", "w,y,z");
    const aged = "file,age,w,y,z\na.png,30,1,0,0\nb.png,40,0,1,0\nc.png,50,0,0,1\n";
    refuses(aged, "w, y, z, with a single 1 in each row, of which y", "w,y,z");
    refuses(
      oneHot("label,valid", ["01", "10"]),
      "label, valid, with a single 1 in each row, of which label",
      "label,valid",
    );
    assert.equal(labels(aged, { labelColumn: "w,y,z" }), "w, y, z");
    assert.equal(labels(aged, { labelColumn: "y" }), "0, 1, 0");
    assert.equal(labels(most, { labelColumn: "w,y,z" }), "w, y, z, y");
  });
});
