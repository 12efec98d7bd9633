import assert from "node:assert/strict";
import path from "node:path";
import { readSource, type SourceOptions } from "../../../../src/data/sources/source.js";
import { temporaryFolder } from "../../fixtures.js";

/** Made by webdataset: see make_datasets.py there. */
const SHARD = path.join(__dirname, "../../../golden/datasets/split-in-json.tar");

describe("samplesOfRows", () => {
  temporaryFolder();
  const read = async (options: Partial<SourceOptions> = {}) => {
    const { listing } = await readSource({ data: SHARD, seed: 0, ...options });
    return [listing.samples.map(({ className, split }) => `${className} ${split}`).join(), listing.notes[0]];
  };

  it("reads the split in the JSON files of a webdataset, as that of a table", async () => {
    assert.deepEqual(await read(), [
      "0 train,1 train,0 test,1 test",
      "The column split of the files beside the images is read as the split (--split-column none leaves it unread).",
    ]);
    assert.equal((await read({ splitColumn: "none" }))[0], "0 null,1 null,0 null,1 null");
  });
});
