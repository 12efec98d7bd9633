import assert from "node:assert/strict";
import { labelConclusions, labelProblem, severalLabelsConclusion } from "../../../src/data/audit/labels.js";

/** Images with these labels, `numEach` of each. */
const imagesOf = (labels: (string | number)[], numEach = 1) =>
  labels.flatMap((label) =>
    Array.from({ length: numEach }, (_, i) => ({ path: `${label}-${i}.png`, className: String(label) })),
  );
const upTo = (count: number, of: (i: number) => string | number) =>
  Array.from({ length: count }, (_, i) => of(i));
const problemOf = (samples: ReturnType<typeof imagesOf>, labels = "labels.csv") =>
  labelProblem(samples, { where: "/data", labels, isTable: labels === "labels.csv" });
const textsOf = (samples: ReturnType<typeof imagesOf>, labels = "labels.csv") =>
  labelConclusions(samples, { labels, isTable: labels === "labels.csv" }).map(({ text }) => text);
/** What is done about labels: a refusal, a conclusion, or nothing. */
const outcomeOf = (samples: ReturnType<typeof imagesOf>, labels?: string) =>
  problemOf(samples, labels) ? "refused" : textsOf(samples, labels).length > 0 ? "said" : "nothing";

describe("labels that are amounts", () => {
  it("refuses many numbers with fractions, and says what to do", () => {
    const temperatures = [
      ...imagesOf(upTo(54, (i) => (35 + i / 10).toFixed(1))),
      ...imagesOf(["38.6", "38.7", "38.8"], 2),
    ];
    assert.deepEqual(problemOf(temperatures), {
      expected: "labels that are classes",
      where: "/data",
      found:
        "54 different numbers label 60 images (35.0, 35.1, 35.2 and 51 more): ferkit predicts classes, not amounts",
      fix:
        "Group the numbers into ranges, or choose another column with --label-column; if they name classes, write them " +
        "with a letter (n35.0).",
    });
    assert.deepEqual(textsOf(temperatures), []);
  });

  it("knows amounts in folders, with units, decimal commas and whole numbers", () => {
    for (const labels of [
      upTo(40, (i) => `${(i * 0.37).toFixed(2)}kg`),
      upTo(40, (i) => `${i},5`),
      upTo(40, (i) => `$${i * 3}`),
      upTo(40, (i) => `${i + 18} years`),
      upTo(40, (i) => 1950 + i),
      upTo(40, (i) => `${i - 20}`),
      upTo(8, (i) => i / 7),
    ])
      assert.equal(outcomeOf(imagesOf(labels), "class folders"), "refused", labels.join(" "));
    assert.equal(
      outcomeOf(
        imagesOf(
          upTo(300, (i) => i / 10),
          12,
        ),
      ),
      "refused",
    );
  });

  it("says of many images with ages or years that they may be amounts, and trains", () => {
    assert.deepEqual(
      textsOf(
        imagesOf(
          upTo(70, (i) => i + 18),
          20,
        ),
        "class folders",
      ),
      [
        "70 different numbers label 1400 images (18, 19, 20 and 67 more): ferkit predicts classes, not amounts. Group the " +
          "numbers into ranges; if they name classes, write them with a letter (n18).",
      ],
    );
    assert.equal(
      outcomeOf(
        imagesOf(
          upTo(40, (i) => i / 4),
          50,
        ),
      ),
      "said",
    );
  });

  it("takes codes of classes for classes", () => {
    assert.equal(
      outcomeOf(
        imagesOf(
          upTo(10, (i) => i),
          50,
        ),
      ),
      "nothing",
    );
    assert.equal(
      outcomeOf(
        imagesOf(
          upTo(102, (i) => i + 1),
          10,
        ),
      ),
      "nothing",
    );
    assert.equal(
      outcomeOf(
        imagesOf(
          upTo(9, (i) => 1 + i / 2),
          30,
        ),
      ),
      "nothing",
    );
    assert.equal(outcomeOf(imagesOf([1, 2, 5, 10, 20, 50], 4)), "nothing");
    assert.equal(outcomeOf(imagesOf([0, 1])), "nothing");
    assert.equal(
      outcomeOf(
        imagesOf(
          upTo(12, (i) => `room ${i}`),
          5,
        ),
      ),
      "nothing",
    );
  });

  it("says that there are nearly as many labels as images", () => {
    assert.deepEqual(textsOf(imagesOf(upTo(30, (i) => `IMG_${i + 10}`))), [
      "30 different labels for 30 images (IMG_10, IMG_11, IMG_12 and 27 more): they look like names of single images, and a " +
        "class needs several images to be learned. Choose another column with --label-column, or add images.",
    ]);
    assert.equal(
      outcomeOf(
        imagesOf(
          upTo(30, (i) => `person-${i}`),
          2,
        ),
      ),
      "nothing",
    );
  });
});

describe("several labels in one", () => {
  it("refuses a table whose labels are combined of its labels", () => {
    for (const separator of ["|", ";", ",", ", "]) {
      const combined = ["leaf", "sky", `leaf${separator}sky`];
      assert.deepEqual(problemOf(imagesOf(combined, 20)), {
        expected: "labels that are classes",
        where: "/data",
        found:
          `20 of 60 images have labels such as "leaf${separator}sky", whose parts leaf, sky are labels too: ferkit learns one ` +
          "label an image, and would take each combination for a class",
        fix: "Choose one label for each image; if they are classes, rename them (leaf-sky).",
      });
    }
    assert.equal(outcomeOf(imagesOf(["a|b", "b|c", "a|c"], 20)), "refused");
    assert.equal(outcomeOf(imagesOf(["1", "2", "3", "1,2", "2,3"], 20)), "refused");
  });

  it("says so of folders, of few images and of other separators, and trains", () => {
    assert.equal(outcomeOf(imagesOf(["leaf", "sky", "leaf,sky"], 20), "class folders"), "said");
    assert.equal(outcomeOf([...imagesOf(["leaf", "sky"], 50), ...imagesOf(["leaf|sky"])]), "said");
    for (const separator of ["+", " & ", "/", " "])
      assert.equal(outcomeOf(imagesOf(["leaf", "sky", `leaf${separator}sky`], 20)), "said", separator);
  });

  it("takes names with such characters for names", () => {
    assert.equal(
      outcomeOf(imagesOf(["tench, Tinca tinca", "goldfish, Carassius auratus", "tabby, cat"], 20)),
      "nothing",
    );
    assert.equal(outcomeOf(imagesOf(["northern flicker", "northern cardinal", "blue jay"], 20)), "nothing");
    assert.equal(outcomeOf(imagesOf(["hot dog", "dog", "cat"], 20)), "nothing");
    assert.equal(outcomeOf(imagesOf(["1,5", "2,5", "3,5"], 20)), "nothing");
  });

  it("says how many images are left out for several labels, if more than 5% are", () => {
    assert.deepEqual(
      severalLabelsConclusion(12, 48).map(({ text }) => text),
      [
        "12 of 60 images have several labels and are left out: ferkit learns one label an image. Choose one label for each of " +
          "them to use them.",
      ],
    );
    assert.deepEqual(severalLabelsConclusion(3, 57), []);
    assert.deepEqual(severalLabelsConclusion(0, 0), []);
  });
});

describe("class folders that may be no classes", () => {
  const FOLDERS = { where: "/data", labels: "class folders" };
  const imagesIn = (folders: string[], inner = "") =>
    folders.flatMap((className) => [1, 2].map((i) => ({ path: `${className}/${inner}${i}.png`, className })));
  const differ = (names: string) =>
    `the class folders differ only in a number or letter (${names}), as those of patients, cameras or pieces of a data set do: ferkit would learn to tell these apart`;
  const FIX = "Choose a table of labels with --labels FILE, or --labels folders if these are the classes";

  it("refuses patients, sites and batches, unless they were chosen", () => {
    const patients = imagesIn(["patient02", "patient01"], "study0/");
    assert.deepEqual(labelProblem(patients, FOLDERS), {
      expected: "labels that are classes",
      where: "/data",
      found: differ("patient01, patient02"),
      fix: `${FIX}, or --label-pattern '([^/]+)/[^/]+$' if the folders in them are.`,
    });
    for (const choice of [{ labels: "folders" }, { trainFolder: "." }]) {
      assert.equal(labelProblem(patients, FOLDERS, choice), null);
      assert.deepEqual(labelConclusions(patients, FOLDERS, choice), []);
    }
    for (const folders of [
      ["siteA", "siteB"],
      ["Hospital 1", "Hospital 2"],
      ["HAM_batch_1", "HAM_batch_2"],
    ])
      assert.equal(labelProblem(imagesIn(folders), FOLDERS)?.fix, `${FIX}.`);
    assert.equal(labelProblem(patients, { where: "/data", labels: "labels.csv", isTable: true }), null);
  });

  it("refuses days and months, but not numbers like them", () => {
    for (const folders of [
      ["2024-01-31", "2024-02-01"],
      ["20240131", "20240201"],
      ["01.02.2024", "31.12.2024"],
      ["2024_01", "2024_02"],
    ]) {
      const found = `class folders that are dates (${[...folders].sort().join(", ")}): ferkit would learn to tell these apart`;
      assert.equal(labelProblem(imagesIn(folders), FOLDERS)?.found, found);
      assert.equal(labelProblem(imagesIn(folders), FOLDERS, { labels: "folders" }), null);
    }
    for (const folders of [
      ["202401", "202402"],
      ["20241301", "20240201"],
      ["1999", "2000"],
      ["2024-01-31", "cat"],
    ])
      assert.equal(labelProblem(imagesIn(folders), FOLDERS), null, folders[0]);
  });

  it("says that persons may be no classes", () => {
    const [conclusion, ...others] = labelConclusions(imagesIn(["s1", "s2", "s3"]), FOLDERS);
    assert.deepEqual(others, []);
    assert.equal(conclusion.text, `T${differ("s1, s2, s3").slice(1)}. ${FIX}.`);
    assert.equal(labelProblem(imagesIn(["s1", "s2", "s3"]), FOLDERS), null);
  });

  it("says nothing of numbered classes", () => {
    for (const folders of [
      ["class_0", "class_1"],
      ["n01440764", "n01443537"],
      ["digit0", "digit1"],
      ["HepatitisA", "HepatitisB"],
      ["0", "1"],
      ["patient", "control"],
      ["patient01", "healthy01"],
      ["A", "B"],
    ]) {
      assert.equal(labelProblem(imagesIn(folders), FOLDERS), null, folders[0]);
      assert.deepEqual(labelConclusions(imagesIn(folders), FOLDERS), [], folders[0]);
    }
  });
});
