import assert from "node:assert/strict";
import { readPixelTable } from "../../../../src/data/sources/packed/pixel-table.js";
import { readSource, type SourceOptions } from "../../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

describe("columns of groups", () => {
  const inFolder = temporaryFolder();
  const read = async (files: Record<string, string>, options: Partial<SourceOptions> = {}) => {
    const { listing } = await readSource({ data: writeFiles(inFolder("data"), files), seed: 0, ...options });
    return listing;
  };
  const groups = ({ samples }: Awaited<ReturnType<typeof read>>) => samples.map(({ group }) => group ?? "-");
  const images = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "x"]));
  const hint = (column: string, file = "labels.csv") =>
    `The column ${column} of ${file} may say which images belong together, and they are not held out together (--group ${column} does so).`;
  const TABLE = "file,label,patient_id\n1.jpg,cat,p1\n2.jpg,cat,p2\n3.jpg,dog,p1\n4.jpg,dog,\n";
  const FILES = { ...images("1.jpg", "2.jpg", "3.jpg", "4.jpg"), "labels.csv": TABLE };

  it("are read by their name, and suggested by usual ones", async () => {
    assert.deepEqual(groups(await read(FILES, { group: "patient_id" })), ["p1", "p2", "p1", "-"]);
    const listing = await read(FILES);
    assert.deepEqual([groups(listing), listing.groupHint], [["-", "-", "-", "-"], hint("patient_id")]);
    for (const name of ["subject", "lesion_id", "Video Name", "study", "donor_no", "group"])
      assert.equal(
        (await read({ ...FILES, "labels.csv": TABLE.replace("patient_id", name) })).groupHint,
        hint(name),
      );
    for (const name of ["site", "showcase", "age"])
      assert.equal(
        (await read({ ...FILES, "labels.csv": TABLE.replace("patient_id", name) }, { labelColumn: "label" }))
          .groupHint,
        undefined,
      );
  });

  it("are found in another Unicode form, and hold no labels then", async () => {
    const files = {
      ...FILES,
      "labels.csv": TABLE.replace("patient_id", "Identita\u0300").replace(",label", ",kind"),
    };
    assert.deepEqual(groups(await read(files, { group: "Identit\u00e0" })), ["p1", "p2", "p1", "-"]);
  });

  it("are not suggested if no two images, or all, are of one group", async () => {
    for (const [value, other] of [
      ["p3", "p4"],
      ["", "p1"],
    ])
      assert.equal(
        (await read({ ...FILES, "labels.csv": TABLE.replace("dog,p1", `dog,${value}`).replace("p2", other) }))
          .groupHint,
        undefined,
      );
  });

  it("are read beside class folders", async () => {
    const files = {
      ...images("cat/1.jpg", "cat/2.jpg", "dog/3.jpg"),
      "drivers.csv": "subject,img\ns1,1.jpg\ns2,2.jpg\ns1,3.jpg\n",
    };
    assert.equal((await read(files, { labels: "folders" })).groupHint, hint("subject", "drivers.csv"));
    for (const labels of ["folders", undefined])
      assert.deepEqual(groups(await read(files, { group: "subject", ...(labels && { labels }) })), [
        "s1",
        "s2",
        "s1",
      ]);
  });

  it("are read in other tables than that of the labels", async () => {
    const files = {
      ...images("1.jpg", "2.jpg", "3.jpg"),
      "labels.csv": "image,MEL,NV\n1,1,0\n2,0,1\n3,0,1\n",
      "meta.csv": "image,age,sex,lesion_id\n1,50,m,l1\n2,60,f,l2\n3,60,m,l1\n",
    };
    const chosen = { labels: "labels.csv", group: "lesion_id" };
    assert.deepEqual(groups(await read(files, chosen)), ["l1", "l2", "l1"]);
    const lesions = { ...files, "meta.csv": "image,lesion_id\n1,l1\n2,l2\n3,l1\n" };
    assert.deepEqual(groups(await read(lesions, { group: "lesion_id" })), ["l1", "l2", "l1"]);
  });

  it("are read in tables of pixels", async () => {
    const pixels = Array(16).fill(9).join(" ");
    const text = `label,subject,pixels\na,s1,${pixels}\nb,s2,${pixels}\nb,s1,${pixels}\n`;
    const file = `${writeFiles(inFolder("data"), { "t.csv": text })}/t.csv`;
    assert.deepEqual(groups(await readPixelTable(file, { group: "subject" })), ["s1", "s2", "s1"]);
    assert.equal((await readPixelTable(file)).groupHint, hint("subject", "t.csv"));
  });
});
