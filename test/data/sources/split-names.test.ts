import assert from "node:assert/strict";
import { partOf, partOfFile, partsOf } from "../../../src/data/sources/split-names.js";

describe("partOf", () => {
  const NAMES = {
    train:
      "train Train TRAINING training_set train-data seg_train trainset traindata train2017 Train_v2 training_images_224x224 trn",
    validation:
      "val valid Validation validation_set dev devset eval evaluation val2017 valData ValidSet PublicTest public_test PUBLICTEST publictest",
    test: "test Testing TEST_SET test-images testset test2014 tst PrivateTest private_test PRIVATETEST privatetest",
  };
  for (const [part, names] of Object.entries(NAMES))
    it(`reads ${part} in its usual names`, () => {
      for (const name of names.split(" ")) assert.equal(partOf(name), part, name);
    });

  it("reads nothing in other names", () => {
    for (const name of [
      "cat",
      "invalid",
      "contest",
      "bullet_train",
      "test_tube",
      "retrain",
      "value",
      "devil",
      "trainer",
      "train_test",
      "constructor",
      "toString",
      "",
      "2017",
    ])
      assert.equal(partOf(name), null, name);
  });
});

describe("partsOf", () => {
  it("takes words that neighbours share for the name of the data set", () => {
    assert.deepEqual(
      [...partsOf(["birds_train", "birds_test", "README", "steam_train"])],
      [
        ["birds_train", "train"],
        ["birds_test", "test"],
      ],
    );
    assert.deepEqual([...partsOf(["bullet_train", "steam_train"])], []);
  });
});

describe("partOfFile", () => {
  it("reads the part at the beginning of a name", () => {
    assert.equal(partOfFile("a/train_00001.jpg"), "train");
    assert.equal(partOfFile("val-000003.tar"), "validation");
    assert.equal(partOfFile("test-00000-of-00001.parquet"), "test");
    assert.equal(partOfFile("1.jpg"), null);
  });
});
