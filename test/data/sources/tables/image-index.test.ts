import assert from "node:assert/strict";
import { walkFolder } from "../../../../src/data/sources/files.js";
import { ImageIndex, locateImages } from "../../../../src/data/sources/tables/image-index.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

describe("locateImages", () => {
  const inFolder = temporaryFolder();
  const locate = (images: string[], values: string[], around = ".", folder = "data") => {
    const dir = writeFiles(inFolder(folder), Object.fromEntries(images.map((name) => [name, "x"])));
    return locateImages(values, new ImageIndex(walkFolder(dir).root), around);
  };
  const files = (...given: Parameters<typeof locate>) =>
    locate(...given).files.map((found) => found.join(" and "));
  const DAY = ["day1/0.png", "day1/1.png"];

  it("finds no image for a path in another folder", () => {
    assert.deepEqual(files(DAY, ["day1/0.png", "day2/0.png", "day2/1.png"]), ["day1/0.png", "", ""]);
    assert.deepEqual(files(DAY, ["day2/0.png", "day2/1.png"]), ["", ""]);
    assert.deepEqual(files(DAY, ["/home/me/day1/0.png", "/home/me/day2/1.png"]), ["day1/0.png", ""]);
    assert.deepEqual(files(DAY, ["gs://b/day1/0.png", "gs://b/day2/0.png"]), ["day1/0.png", ""]);
    assert.deepEqual(files(DAY, ["C:\\x\\day1\\0.png", "C:\\x\\day2\\0.png"]), ["day1/0.png", ""]);
  });

  it("finds images whose folder is the data set's own", () => {
    const [own, values] = [
      ["0.png", "1.png"],
      ["day1/0.png", "day2/0.png", "day2/1.png", "1.png"],
    ];
    assert.deepEqual(files(own, values, ".", "day1"), ["0.png", "", "", "1.png"]);
  });

  it("finds images by paths of another machine, and says so if the folders have other names", () => {
    const values = ["/home/me/img/0.png", "/home/me/img/1.png"];
    assert.deepEqual(files(["img/0.png", "img/1.png"], values), ["img/0.png", "img/1.png"]);
    assert.deepEqual(files(["0.png", "1.png"], values, ".", "b"), ["0.png", "1.png"]);
    const { files: found, moved } = locate(["pics/0.png", "pics/1.png"], values, ".", "c");
    assert.deepEqual([found, moved], [[["pics/0.png"], ["pics/1.png"]], 0]);
  });

  it("finds images in a folder between, or with a folder less", () => {
    assert.deepEqual(files(["train/images/0.png"], ["train/0.png"]), ["train/images/0.png"]);
    assert.deepEqual(files(["train/1.png"], ["train/images/1.png"], ".", "b"), ["train/1.png"]);
  });

  it("takes the row that fits best if two name one image", () => {
    assert.deepEqual(files(["0.jpg"], ["0.png", "0.jpg"]), ["", "0.jpg"]);
    assert.deepEqual(files(["a/0.jpg"], ["x/a/0.jpg", "0.jpg"], ".", "b"), ["a/0.jpg", ""]);
    assert.equal(locate(["0.jpg"], ["a/0.jpg", "b/0.jpg"], ".", "c").conflict?.join(), "0,1");
    assert.equal(locate(["0.jpg"], ["0.jpg", "./0.jpg"], ".", "d").conflict, null);
  });

  it("finds images below the table's folder only, if most are there", () => {
    const images = ["train/0.png", "train/1.png", "test/2.png"];
    assert.deepEqual(files(images, ["0.png", "1.png", "2.png"], "train"), ["train/0.png", "train/1.png", ""]);
    assert.deepEqual(files(["img/0.png"], ["0.png"], "lists", "b"), ["img/0.png"]);
  });
});
