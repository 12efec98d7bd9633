import assert from "node:assert/strict";
import { listFolder, temporaryFolder, writeFiles } from "../../fixtures.js";

describe("folders of a split", () => {
  const inFolder = temporaryFolder();
  const rejects = (names: string[], found: string, fix: string) =>
    assert.throws(
      () => listFolder(writeFiles(inFolder("data"), Object.fromEntries(names.map((n) => [n, "x"])))),
      {
        name: "InputError",
        message: `Expected the same classes in train and validation at ${inFolder("data")} but found ${found}, and none of them in train. ${fix}`,
      },
    );
  const TRAIN = ["train/cat/1.png", "train/dog/2.png"];

  it("refuses one with other classes, and says what to do if it has one folder for all images", () => {
    const move =
      "Move each image of val into a folder named by its class, or leave val out with --leave-out val.";
    rejects([...TRAIN, "val/images/3.png"], "images in val", move);
    rejects(
      [...TRAIN, "val/images/3.png", "val/more/4.png"],
      "images, more in val",
      "Rename the class folders, or choose another folder with --validation-folder.",
    );
  });

  it("names tables of labels where the folders are patients, who differ between the parts", () =>
    rejects(
      [
        "train/patient1/study1/1.png",
        "train/patient2/study1/2.png",
        "val/patient3/study1/3.png",
        "val/patient4/study1/4.png",
      ],
      "patient3, patient4 in val",
      "Choose the tables of labels with --labels FILE,FILE if these folders are persons or pieces of the data set. Otherwise rename the class folders.",
    ));

  it("says that folders for tests have other names, also in case alone", () => {
    const notesOf = (...tests: string[]) =>
      listFolder(
        writeFiles(inFolder("data"), Object.fromEntries([...TRAIN, ...tests].map((name) => [name, "x"]))),
      ).notes;
    assert.deepEqual(notesOf("TEST/Cat/3.png", "TEST/DOG/4.png"), [
      "TEST is not used, since no folder in it (Cat, DOG) has the name of a class in train.",
    ]);
  });
});
