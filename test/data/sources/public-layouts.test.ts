// Files as public data sets have them, shrunk.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { readSource, type SourceOptions } from "../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

const images = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "x"]));

describe("layouts of public data sets", () => {
  const inFolder = temporaryFolder();
  /** Each image with its class and part, and the notes. */
  const read = async (files: Record<string, string>, options: Partial<SourceOptions> = {}) => {
    const dir = writeFiles(inFolder("data"), files);
    const { listing } = await readSource({ data: dir, seed: 0, ...options });
    const { samples, notes, splitBy } = listing;
    return {
      samples: samples.map(({ path, className, split }) => `${path} ${className} ${split}`),
      notes,
      splitBy: splitBy?.words,
    };
  };
  const refuses = (files: Record<string, string>, message: string, options: Partial<SourceOptions> = {}) =>
    assert.rejects(read(files, options), { name: "InputError", message });

  describe("DeepFashion", () => {
    const IMAGES = images("img/Blouse/1.jpg", "img/Blouse/2.jpg", "img/Jeans/1.jpg", "img/Jeans/2.jpg");
    const PARTITION = {
      "Eval/list_eval_partition.txt":
        "4\nimage_name  evaluation_status\nimg/Blouse/1.jpg      train\nimg/Blouse/2.jpg      val\n" +
        "img/Jeans/1.jpg       train\nimg/Jeans/2.jpg       test\n",
    };
    const CATEGORIES = {
      "Anno/list_category_img.txt":
        "4\nimage_name  category_label\nimg/Blouse/1.jpg   3\nimg/Blouse/2.jpg   3\nimg/Jeans/1.jpg    26\nimg/Jeans/2.jpg    26\n",
    };
    const SPLIT = [
      "Blouse/1.jpg Blouse train",
      "Blouse/2.jpg Blouse validation",
      "Jeans/1.jpg Jeans train",
      "Jeans/2.jpg Jeans test",
    ];

    it("takes the partition beside class folders as the split", async () => {
      const { samples, splitBy } = await read({ ...IMAGES, ...PARTITION });
      assert.deepEqual(samples, SPLIT);
      assert.equal(splitBy, "the column evaluation_status of Eval/list_eval_partition.txt");
    });

    it("takes it also beside numbers of the classes, and where the folders were chosen", async () => {
      const files = { ...IMAGES, ...PARTITION, ...CATEGORIES };
      assert.deepEqual((await read(files)).samples, SPLIT);
      assert.deepEqual((await read(files, { labels: "folders" })).samples, SPLIT);
    });

    it("asks if numbers put images into other classes than the folders", () =>
      refuses(
        {
          ...IMAGES,
          "anno.txt": "img/Blouse/1.jpg 3\nimg/Blouse/2.jpg 26\nimg/Jeans/1.jpg 26\nimg/Jeans/2.jpg 26\n",
        },
        `Expected one kind of labels at ${inFolder("data")} but found the folders Blouse, Jeans, and anno.txt with 26, 3. Choose with --labels folders or --labels anno.txt.`,
      ));
  });

  describe("CUB-200", () => {
    const LISTS = {
      "images.txt": "1 001.Albatross/a_1.jpg\n2 001.Albatross/a_2.jpg\n3 002.Auklet/a_3.jpg\n",
      "image_class_labels.txt": "1 1\n2 1\n3 2\n",
    };
    const WHY =
      "but found only a number for each, 1 to 3. Write a table with the name and the label of each image: another file may have the labels by these numbers.";

    it("takes the folders for classes, not the numbers of the images", async () => {
      const folders = images(
        "images/001.Albatross/a_1.jpg",
        "images/001.Albatross/a_2.jpg",
        "images/002.Auklet/a_3.jpg",
      );
      const { samples, notes } = await read({ ...folders, ...LISTS });
      assert.deepEqual(
        samples.map((one) => one.split(" ")[1]),
        ["001.Albatross", "001.Albatross", "002.Auklet"],
      );
      assert.deepEqual(notes, [
        "Images are labelled by their folders, not by image_class_labels.txt, whose rows name none of them: 2, beside images such as images/001.Albatross/a_1.jpg.",
      ]);
    });

    it("says that a list only numbers images in no class folder", () =>
      refuses(
        {
          ...images("images/a_1.jpg", "images/a_2.jpg", "images/a_3.jpg"),
          "images.txt": "1 a_1.jpg\n2 a_2.jpg\n3 a_3.jpg\n",
        },
        `Expected a label for each image at ${inFolder("data")}/images.txt ${WHY}`,
      ));
  });

  describe("Oxford Pets", () => {
    const NAMES = ["Bengal_1", "Bengal_2", "american_bulldog_1", "american_bulldog_2"];
    const LIST = NAMES.map((name, i) => `${name} ${i < 2 ? 1 : 2} 1 1\n`);
    const FILES = {
      ...images(...NAMES.flatMap((name) => [`images/${name}.jpg`, `annotations/trimaps/${name}.png`])),
      "annotations/list.txt": `#Image CLASS-ID SPECIES BREED ID\n${LIST.join("")}`,
    };

    it("does not take images and their masks for two classes", async () => {
      const where = inFolder("data");
      await refuses(
        FILES,
        `Expected one column of labels at ${where}/annotations/list.txt but found column 2, column 3, column 4. Choose one with --label-column NAME. Or choose --labels folders if the folders annotations, images are the classes.`,
      );
      await refuses(
        FILES,
        "Expected one image for each row of annotations/list.txt but found annotations/trimaps/Bengal_1.png and images/Bengal_1.jpg for Bengal_1. Choose the folder of images with --data, and the table with --labels. Or choose --labels folders if the folders annotations, images are the classes.",
        { labelColumn: "2" },
      );
    });

    it("reads its lists for training and tests, without the masks", async () => {
      const lists = {
        "annotations/trainval.txt": LIST[0] + LIST[2],
        "annotations/test.txt": LIST[1] + LIST[3],
      };
      const { samples } = await read(
        { ...FILES, ...lists },
        {
          labels: "annotations/trainval.txt,annotations/test.txt",
          labelColumn: "2",
          leaveOut: ["annotations"],
        },
      );
      assert.deepEqual(samples, [
        "images/Bengal_1.jpg 1 train",
        "images/american_bulldog_1.jpg 2 train",
        "images/Bengal_2.jpg 1 test",
        "images/american_bulldog_2.jpg 2 test",
      ]);
    });

    const pattern = "(?:^|/)([^\\d/]+?)[._ -]?\\d+\\.";

    it("reads the classes from the names, without a folder that is left out", async () => {
      const { samples } = await read(FILES, { labelPattern: pattern, leaveOut: ["annotations"] });
      assert.deepEqual(
        samples.map((one) => one.split(" ")[1]),
        ["Bengal", "Bengal", "american_bulldog", "american_bulldog"],
      );
    });
  });

  it("GTSRB: reads the column ClassId", async () => {
    const header = "Filename;Width;Height;Roi.X1;Roi.Y1;ClassId\n";
    const { samples } = await read({
      ...images("Images/00000.png", "Images/00001.png"),
      "GT-final_test.csv": `${header}00000.png;29;30;5;6;16\n00001.png;29;30;5;6;1\n`,
    });
    assert.deepEqual(samples, ["Images/00000.png 16 null", "Images/00001.png 1 null"]);
  });

  it("GTSRB: reads class folders beside tables of each and one of the test images", async () => {
    const header = "Filename;Width;Height;ClassId\n";
    const { samples, notes } = await read({
      ...images("Training/00000/0.png", "Training/00000/1.png", "Training/00001/0.png", "Test/Images/7.png"),
      "Training/00000/GT-00000.csv": `${header}0.png;29;30;0\n1.png;29;31;0\n`,
      "Training/00001/GT-00001.csv": `${header}0.png;29;30;1\n`,
      "Test/Images/GT-final_test.test.csv": "Filename;Width;Height\n7.png;53;54\n",
    });
    assert.deepEqual(samples, [
      "Training/00000/0.png 00000 train",
      "Training/00000/1.png 00000 train",
      "Training/00001/0.png 00001 train",
    ]);
    assert.deepEqual(notes, [
      "The labels are codes: 00000, 00001 (--label-names 00000=NAME,… gives them names).",
    ]);
  });

  it("Stanford Cars: takes boxes with numbers of the classes for no other labels", async () => {
    const { notes } = await read({
      ...images("train/Audi/1.jpg", "train/Audi/2.jpg", "train/BMW/3.jpg", "train/BMW/4.jpg"),
      "anno_train.csv":
        "1.jpg,39,116,569,375,1\n2.jpg,36,116,868,587,1\n3.jpg,39,6,9,75,2\n4.jpg,8,1,4,5,2\n",
    });
    assert.deepEqual(notes, []);
  });

  it("FairFace and ISIC: take tables that share a name for the parts of the split", async () => {
    const header = "file,gender,race\n";
    const faces = await read(
      {
        ...images("train/1.jpg", "train/2.jpg", "val/1.jpg"),
        "fairface_label_train.csv": `${header}train/1.jpg,Male,a\ntrain/2.jpg,Female,b\n`,
        "fairface_label_val.csv": `${header}val/1.jpg,Male,b\n`,
      },
      { labelColumn: "gender" },
    );
    assert.deepEqual(faces.samples, [
      "train/1.jpg Male train",
      "train/2.jpg Female train",
      "val/1.jpg Male validation",
    ]);
    assert.equal(faces.splitBy, "the table fairface_label_val.csv");
    rmSync(inFolder("data"), { recursive: true });
    const { samples } = await read({
      ...images("Training_Input/I_1.jpg", "Training_Input/I_2.jpg", "Validation_Input/I_3.jpg"),
      "Training_GroundTruth.csv": "image,MEL,NV\nI_1,1.0,0.0\nI_2,0.0,1.0\n",
      "Validation_GroundTruth.csv": "image,MEL,NV\nI_3,1.0,0.0\n",
    });
    assert.deepEqual(samples, [
      "Training_Input/I_1.jpg MEL train",
      "Training_Input/I_2.jpg NV train",
      "Validation_Input/I_3.jpg MEL validation",
    ]);
  });

  it("Google Landmarks: takes the table, not folders by the digits of the names", async () => {
    const { samples } = await read({
      ...images("train/0/0/0/000a.jpg", "train/0/0/1/001b.jpg", "train/1/0/0/100c.jpg"),
      "train.csv": "id,landmark_id\n000a,17\n001b,4\n100c,17\n",
    });
    assert.deepEqual(samples, [
      "train/0/0/0/000a.jpg 17 train",
      "train/0/0/1/001b.jpg 4 train",
      "train/1/0/0/100c.jpg 17 train",
    ]);
  });

  it("does not take an original and a smaller copy of all images for two classes", () =>
    refuses(
      {
        ...images(
          "images_original/a.jpg",
          "images_original/b.jpg",
          "images_compressed/a.jpg",
          "images_compressed/b.jpg",
        ),
        "images.csv": "image,label\na,Hat\nb,Shoes\n",
      },
      "Expected one image for each row of images.csv but found images_compressed/a.jpg and images_original/a.jpg for a. Choose the folder of images with --data, and the table with --labels. Or choose --labels folders if the folders images_compressed, images_original are the classes.",
    ));

  it("Flickr: takes captions beside class folders for no labels", async () => {
    const { samples, notes } = await read({
      ...images("cat/1.jpg", "cat/2.jpg", "dog/3.jpg"),
      "captions.csv": "image,caption\ncat/1.jpg,A cat.\ncat/2.jpg,Two cats.\ndog/3.jpg,A dog.\n",
    });
    assert.deepEqual([samples[0], notes], ["cat/1.jpg cat null", []]);
  });

  it("GTSRB: says that its PPM images are not read", () =>
    refuses(
      images("00000/1.ppm", "00001/1.ppm"),
      `Expected class folders with images, with or without train and validation folders around them at ${inFolder("data")} but found no images in class folders, but 2 images of a format that is not read, such as 00000/1.ppm. Save them as PNG or JPEG.`,
    ));

  it("AffectNet: names its .npy files, which may have the labels", () =>
    refuses(
      images(
        "train_set/images/1.jpg",
        "train_set/annotations/1_val.npy",
        "val_set/images/2.jpg",
        "val_set/annotations/2_val.npy",
      ),
      `Expected class folders, or a table that names images at ${inFolder("data")} but found the folders images, and train_set/annotations/1_val.npy, which is not read, since .npy files are not read. Save it as CSV. Or choose --labels folders if these are the classes.`,
    ));

  it("Market-1501: does not take the parts of its split for classes", () =>
    refuses(
      images("bounding_box_train/0002_c1.jpg", "bounding_box_test/0003_c1.jpg", "query/0003_c2.jpg"),
      `Expected class folders with images, with or without train and validation folders around them at ${inFolder("data")} but found images in bounding_box_test, bounding_box_train, query, in no class folder. Move each image into a folder named by its class, or choose --train-folder . if these are the classes.`,
    ));
});
