import assert from "node:assert/strict";
import { fileConclusions } from "../../../src/data/audit/file-conclusions.js";
import type { DecodedSample } from "../../../src/data/pixels/packed-file.js";
import { sampleOf, TRAITS } from "../fixtures.js";

/** Ten samples of two classes, of which the first `changed` differ. */
const samples = (numChanged: number, change: Partial<DecodedSample>) =>
  Array.from({ length: 10 }, (_, i) => ({
    ...sampleOf(`${i % 2 ? "a" : "b"}/${i}.png`),
    ...(i < numChanged ? change : {}),
  }));
const conclude = (
  some: DecodedSample[],
  {
    numChannels = 3 as 1 | 3,
    whiteLevels = {},
    fit = "crop" as const,
    grey = "auto" as "auto" | boolean,
    imageSize = 48,
    isFixed = false,
  } = {},
) => fileConclusions({ samples: some, numChannels, whiteLevels }, { fit, grey, imageSize, isFixed });

describe("fileConclusions", () => {
  it("concludes nothing from files of one kind", () => {
    assert.deepEqual(conclude(samples(0, {})), []);
  });

  it("says that some images have no colour, how all are used, and which option settles it", () => {
    const [colour, ...others] = conclude(samples(9, { isGrey: true }), { numChannels: 1 });
    assert.deepEqual(others, []);
    assert.deepEqual(colour, {
      about: "colour",
      text:
        "1 of 10 in colour; all are used in grey, since most have no colour. Train with --set grey=false for colours, or " +
        "--set grey=true to settle it.",
      examples: ["a/9.png"],
    });
    const [set] = conclude(samples(4, { isGrey: true }), { grey: false });
    assert.equal(set.text, "6 of 10 in colour; all are used in colour. Train with --set grey=true for grey.");
  });

  it("says nothing of colour that tells the classes apart if all are used in grey", () => {
    const told = samples(0, {}).map((one) => ({ ...one, isGrey: one.className === "a" }));
    const about = (numChannels: 1 | 3) => conclude(told, { numChannels }).map((one) => one.about);
    assert.deepEqual(about(3), ["trait", "colour"]);
    assert.deepEqual(about(1), ["colour"]);
  });

  it("says that most images are much larger than they are used, with the setting and its cost", () => {
    const photographs = samples(6, { width: 640, height: 480 });
    assert.deepEqual(
      conclude(photographs).filter(({ about }) => about === "size"),
      [
        {
          about: "size",
          text:
            "At least half of the images measure 480 pixels or more on their shorter side, and are used at 48×48 (imageSize). " +
            "Choose a larger imageSize if details matter, such as --set imageSize=160: an epoch then takes about 11 times as long.",
          examples: [],
        },
      ],
    );
    const sizes = (some: DecodedSample[], imageSize = 48, isFixed = false) =>
      conclude(some, { imageSize, isFixed }).flatMap(({ about, text }) =>
        about === "size" ? text.match(/imageSize=\d+/) : [],
      );
    assert.deepEqual(sizes(samples(10, { width: 150, height: 200 })), ["imageSize=144"]);
    assert.deepEqual(sizes(samples(10, { width: 143, height: 200 })), []);
    assert.deepEqual(sizes(samples(4, { width: 640, height: 480 })), []);
    for (const imageSize of [144, 160, 224]) assert.deepEqual(sizes(photographs, imageSize), []);
    assert.deepEqual(sizes(photographs, 48, true), []);
  });

  it("names images that are nearly black or white", () => {
    const [black] = conclude(samples(4, { light: 15 }));
    assert.deepEqual(black, {
      about: "brightness",
      text:
        "4 images are nearly black (b/0.png, a/1.png, b/2.png and 1 more): 99% of their values are at most 24 of 255. Remove them, " +
        "or fix their brightness if they should show something.",
      examples: ["b/0.png", "a/1.png", "b/2.png"],
    });
    const [white] = conclude(samples(1, { dark: 250 }));
    assert.match(white.text, /^1 image is nearly white \(b\/0.png\): 99% of their values are at least 231/);
  });

  it("warns that the central square leaves out much, unless another fit is chosen", () => {
    const wide = samples(4, { width: 90, height: 30 });
    const [crop] = conclude(wide);
    assert.deepEqual(crop, {
      about: "crop",
      text:
        "The central square leaves out 40% or more of 4 of 10 images (67% of b/0.png, 90×30). Train with --set fit=pad to keep " +
        "all of them between black bars, or --set fit=squash.",
      examples: ["b/0.png", "a/1.png", "b/2.png"],
    });
    assert.deepEqual(
      fileConclusions(
        { samples: wide, numChannels: 3, whiteLevels: {} },
        { fit: "pad", grey: "auto", imageSize: 48 },
      ),
      [],
    );
    assert.deepEqual(conclude(samples(4, { width: 64, height: 48 })), []);
  });

  it("advises nothing about colours and crops that a model fixes", () => {
    const some = samples(4, { width: 90, height: 30, isGrey: true, light: 15 });
    const choice = { fit: "crop" as const, grey: false as const, imageSize: 48 };
    const about = (isFixed: boolean) =>
      fileConclusions({ samples: some, numChannels: 3, whiteLevels: {} }, { ...choice, isFixed }).map(
        (one) => one.about,
      );
    assert.deepEqual(about(false), ["colour", "brightness", "crop"]);
    assert.deepEqual(about(true), ["brightness"]);
  });

  it("says which number is white, and that only first frames are used", () => {
    const traits = { ...TRAITS, numbers: "16-bit" };
    const [numbers] = conclude(samples(2, { traits }), { whiteLevels: { "16-bit": 4095 } });
    assert.match(
      numbers.text,
      /^2 images have 16-bit numbers; white is 4,095, the top of the range that they use\./,
    );
    const cut = [
      ...samples(1, { traits: { ...traits, isCut: true } }).slice(0, 1),
      ...samples(2, { traits }).slice(1, 2),
    ];
    const given = { "16-bit": 4095 };
    const [above] = fileConclusions(
      { samples: cut, numChannels: 3, whiteLevels: given },
      { fit: "crop", grey: "auto", imageSize: 48, whiteLevels: given },
    );
    assert.deepEqual(above, {
      about: "numbers",
      text:
        "2 images have 16-bit numbers; white is 4,095, as in training. 1 image has larger ones (b/0.png), which are cut to it. " +
        "Save them in 8 bits to choose another range.",
      examples: ["b/0.png"],
    });
    const profiled = { ...traits, hasProfile: true };
    const [unused] = conclude(samples(2, { traits: { ...profiled, colours: "grey" } }), {
      whiteLevels: { "16-bit": 65535 },
    });
    assert.equal(
      unused.text,
      "2 images have 16-bit numbers; white is 65,535, the top of the range that they use. The colour profile of 2 is " +
        "not used. Save them in 8 bits to choose another range, or to use profiles.",
    );
    const used = conclude(samples(2, { traits: { ...profiled, colours: "rgb" } }), {
      whiteLevels: { "16-bit": 65535 },
    });
    assert.doesNotMatch(used[0].text, /profile/);
    const [alpha] = conclude(samples(1, { traits: { ...TRAITS, hasAlpha: true } }));
    assert.deepEqual(alpha, {
      about: "transparency",
      text:
        "1 image has transparent parts (b/0.png), which are shown on white. " +
        "Save them without transparency to choose another background.",
      examples: ["b/0.png"],
    });
    const [other] = conclude(samples(1, { traits: { ...TRAITS, hasOther: true } }));
    assert.deepEqual(other, {
      about: "transparency",
      text:
        "1 image has a further channel that is not marked as alpha (b/0.png); it is not used. " +
        "Save them with an alpha channel if it is one.",
      examples: ["b/0.png"],
    });
    assert.deepEqual(conclude(samples(1, { traits: { ...TRAITS, hasAlpha: true, isOpaque: true } })), []);
    const [frames] = conclude(samples(1, { traits: { ...TRAITS, numFrames: 12 } }));
    assert.match(frames.text, /^1 file holds several frames or pages \(b\/0.png\); only the first is used\./);
  });
});
