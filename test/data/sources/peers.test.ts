import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { classesOf } from "../../../src/data/sources/listing.js";
import { listFolder, temporaryFolder, writeFiles } from "../fixtures.js";

interface Listing {
  classes: string[];
  images: [path: string, className: string][];
}
type Peer = "torchvision" | "keras" | "datasets";

/** What other tools find in the same files: see make_listings.py there. */
const GOLDEN = JSON.parse(readFileSync(path.join(__dirname, "../../golden/listings.json"), "utf8")) as Record<
  Peer,
  Record<"train" | "test", Listing>
> & { files: string[] };

describe("class folders", () => {
  const inFolder = temporaryFolder();

  for (const peer of ["torchvision", "keras", "datasets"] as const)
    it(`hold the images, labels, order of classes and split that ${peer} finds`, () => {
      const dir = writeFiles(inFolder("data"), Object.fromEntries(GOLDEN.files.map((file) => [file, "x"])));
      const { samples } = listFolder(dir);
      for (const [part, split] of [
        ["train", "train"],
        ["test", "validation"],
      ] as const) {
        const own = samples.filter((sample) => sample.split === split);
        assert.deepEqual(classesOf(own), GOLDEN[peer][part].classes);
        const images = own.map(({ path: file, className }) => [file, className]).sort();
        assert.deepEqual(images, GOLDEN[peer][part].images.sort());
      }
    });
});
