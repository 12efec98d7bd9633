import assert from "node:assert/strict";
import { telltaleTraits } from "../../../src/data/audit/traits.js";
import type { FileTraits } from "../../../src/data/pixels/header.js";
import type { DecodedSample } from "../../../src/data/pixels/packed-file.js";
import { Random } from "../../../src/random.js";
import { sampleOf, TRAITS } from "../fixtures.js";

/** Twenty samples of each class; `change` says how the files of a class, or a file, differ. */
function samples(change: (className: string, i: number) => Partial<DecodedSample>, classNames = ["a", "b"]) {
  return classNames.flatMap((className) =>
    Array.from({ length: 20 }, (_, i) => ({ ...sampleOf(`${className}/${i}.png`), ...change(className, i) })),
  );
}
const withTraits = (traits: Partial<FileTraits>) => ({ traits: { ...TRAITS, ...traits } });
const namesOf = (found: { name: string }[]) => found.map(({ name }) => name);

describe("telltaleTraits", () => {
  it("finds nothing if the files of all classes are alike, or differ at random", () => {
    assert.deepEqual(telltaleTraits(samples(() => ({}))), []);
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed, "traits");
      const mixed = samples(() => ({
        width: 48 + random.integer(200),
        height: 48 + random.integer(200),
        isGrey: random.chance(0.5),
        ...withTraits({
          format: random.pick(["png", "jpeg"]),
          quality: 50 + random.integer(50),
          hasExif: random.chance(0.3),
        }),
      }));
      assert.deepEqual(telltaleTraits(mixed), [], `seed ${seed}`);
    }
  });

  const cases: [string, (isB: boolean) => Partial<DecodedSample>][] = [
    ["size", (isB) => (isB ? { width: 200, height: 200 } : {})],
    ["shape", (isB) => (isB ? { width: 64, height: 48 } : { width: 48, height: 64 })],
    ["format", (isB) => withTraits({ format: isB ? "webp" : "png" })],
    ["colour", (isB) => ({ isGrey: isB })],
    ["colour mode", (isB) => withTraits({ colours: isB ? "palette" : "rgb" })],
    ["number format", (isB) => withTraits({ numbers: isB ? "16-bit" : "8-bit" })],
    ["transparency", (isB) => withTraits({ hasAlpha: isB })],
    ["EXIF data", (isB) => withTraits({ hasExif: isB })],
    ["colour profile", (isB) => withTraits({ hasProfile: isB })],
    ["JPEG quality", (isB) => withTraits({ format: "jpeg", quality: isB ? 95 : 75 })],
  ];
  for (const [name, change] of cases)
    it(`finds the ${name}`, () => {
      const found = telltaleTraits(samples((className) => change(className === "b")));
      assert.ok(namesOf(found).includes(name), String(namesOf(found)));
    });

  it("says how, with numbers and what settles it", () => {
    const [colour] = telltaleTraits(samples((className, i) => ({ isGrey: className === "a" || i === 0 })));
    assert.equal(
      colour.text,
      "The colour of the files tells the classes apart: it alone gets 98% of the labels right, the largest class 50% " +
        "(a: grey in 20 of 20; b: coloured in 19 of 20). A network can learn it instead of what the images show. " +
        "Train with --set grey=true, so that all images are used in grey.",
    );
  });

  it("finds a threshold of the size if every file has its own", () => {
    const [size] = telltaleTraits(
      samples((className, i) => ({ width: (className === "b" ? 300 : 100) + i, height: 90 + i })),
    );
    assert.match(
      size.text,
      /^The size of the files tells .* \(a: below 300 pixels on the longer side in 20 of 20; b: 300/,
    );
  });

  it("finds what gives one of many classes away", () => {
    const classNames = ["a", "b", "c", "d", "e", "f"];
    const [format] = telltaleTraits(
      samples((className) => withTraits({ format: className === "c" ? "gif" : "png" }), classNames),
    );
    assert.equal(
      format.text,
      "The format of the files gives a class away: gif in 20 of 20 of c, and in 0 others. A network can learn it instead of what " +
        "the images show. Save the images of all classes in the same way.",
    );
  });

  it("finds nothing in traits that all classes share, if one class is far larger", () => {
    const unequal = (change: (className: string, i: number) => Partial<DecodedSample>) =>
      [190, 10].flatMap((number, label) =>
        Array.from({ length: number }, (_, i) => {
          const className = "ab"[label];
          return { ...sampleOf(`${className}/${i}.png`), ...change(className, i) };
        }),
      );
    assert.deepEqual(telltaleTraits(unequal(() => ({}))), []);
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed, "unequal traits");
      const mixed = unequal(() => ({
        width: 48 + random.integer(200),
        height: 48 + random.integer(200),
        isGrey: random.chance(0.95),
        ...withTraits({ format: "jpeg", quality: 50 + random.integer(50), hasExif: random.chance(0.05) }),
      }));
      assert.deepEqual(telltaleTraits(mixed), [], `seed ${seed}`);
    }
    const [format] = telltaleTraits(
      unequal((className, i) => withTraits({ format: className === "a" || i === 0 ? "png" : "gif" })),
    );
    assert.match(format.text, /^The format of the files tells the classes apart: .*b: gif in 9 of 10\)/);
  });

  it("finds nothing in a few images, or in one class", () => {
    const few = samples((className) => ({ isGrey: className === "a" })).filter((_, i) => i % 20 < 3);
    assert.deepEqual(telltaleTraits(few), []);
    assert.deepEqual(telltaleTraits(samples((_, i) => ({ isGrey: i < 10 }), ["a"])), []);
  });
});
