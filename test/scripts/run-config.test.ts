import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { addTrainCommand } from "../../scripts/commands/train.js";
import { collectSettings, withDataOptions } from "../../scripts/options.js";
import { configSchema, withConfigOption } from "../../scripts/run-config.js";
import { projectDir, workspace } from "../workspace.js";

describe("--config", () => {
  const folder = workspace();

  /** Returns the options that an action gets. */
  async function read(config: unknown, ...args: string[]): Promise<Record<string, unknown>> {
    writeFileSync(folder.file("run.json"), typeof config === "string" ? config : JSON.stringify(config));
    let found: Record<string, unknown> = {};
    const command = withConfigOption(withDataOptions(new Command("train")))
      .option("--preset <name>", "", "tutorial")
      .option("--set <name=value>", "", collectSettings)
      .option("--run <folder>")
      .action((flags) => {
        found = flags;
      });
    await command.parseAsync(["--config", folder.file("run.json"), ...args], { from: "user" });
    return found;
  }

  it("gives options, paths from the file's folder", async () => {
    const { data, run, preset, set, dropLeaked, validationShare, leaveOut } = await read({
      $schema: "anything",
      data: "images",
      run: "runs/mine",
      preset: "baseline",
      dropLeaked: true,
      validationShare: 0.1,
      leaveOut: ["raw"],
      set: { epochs: 3 },
    });
    assert.deepEqual(
      { data, run, preset, set, dropLeaked, validationShare, leaveOut },
      {
        data: folder.file("images"),
        run: folder.file("runs/mine"),
        preset: "baseline",
        set: { epochs: 3 },
        dropLeaked: true,
        validationShare: 0.1,
        leaveOut: ["raw"],
      },
    );
  });

  it("reads a file with a byte-order mark", async () => {
    assert.equal((await read('\ufeff{"preset": "baseline"}')).preset, "baseline");
  });

  it("takes paths in set from the file's folder, but no names of weights", async () => {
    const set = { weights: "start", teachers: ["a/best", "/b"], epochs: 3 };
    assert.deepEqual((await read({ set })).set, {
      weights: folder.file("start"),
      teachers: [folder.file("a/best"), "/b"],
      epochs: 3,
    });
    assert.deepEqual((await read({ set: { weights: "random" } })).set, { weights: "random" });
  });

  it("replaces options of the augmentation one by one, in any spelling", async () => {
    const augment = { rotation: 5, horizontalFlip: 0 };
    const withSet = async (set: object, ...args: string[]) =>
      (await read({ set }, ...args.flatMap((arg) => ["--set", arg]))).set;
    assert.deepEqual(await withSet({ augment }, 'augment={"rotation":40}'), {
      augment: { horizontalFlip: 0, rotation: 40 },
    });
    assert.deepEqual(await withSet({ augment }, "rotation=40"), {
      augment: { horizontalFlip: 0 },
      rotation: 40,
    });
    assert.deepEqual(await withSet({ augment: { fill: 1 }, rotation: 5 }, 'augment={"rotation":40}'), {
      augment: { fill: 1, rotation: 40 },
    });
    assert.deepEqual(await withSet({ "augment.rotation": 5 }, "rotation=40"), { rotation: 40 });
    assert.deepEqual(await withSet({}, 'augment={"rotation":1,"fill":1}', 'augment={"rotation":2}'), {
      augment: { fill: 1, rotation: 2 },
    });
  });

  it("leaves names of data sets as they are", async () => {
    assert.equal((await read({ data: "fer2013" })).data, "fer2013");
  });

  it("lets the command line win, setting by setting", async () => {
    const { preset, set } = await read(
      { preset: "baseline", set: { epochs: 3, seed: 1 } },
      ...["--preset", "fer2013", "--set", "epochs=5"],
    );
    assert.deepEqual({ preset, set }, { preset: "fer2013", set: { epochs: 5, seed: 1 } });
  });

  const refused: [unknown, string][] = [
    [
      { epochs: 3 },
      'options of ferkit train at FILE but found epochs. Put epochs under set, as in {"set": {"epochs": 3}}.',
    ],
    [{ prest: "baseline" }, "options of ferkit train at FILE but found prest. Did you mean preset?"],
    [{ dropLeaked: "yes" }, 'a boolean for dropLeaked at FILE but found "yes". Fix the file.'],
    [{ validationShare: "0.1" }, 'a number for validationShare at FILE but found "0.1". Fix the file.'],
    [{ set: ["epochs=3"] }, 'an object of settings for set at FILE but found ["epochs=3"]. Fix the file.'],
    ["[]", "a JSON object of settings at FILE but found another value. Fix the file."],
    [
      "{",
      "a JSON object of settings at FILE but found line 1, column 2: the end of the file instead of a name",
    ],
    [
      '{\n  "set": { "epochs": 3, }\n}',
      "a JSON object of settings at FILE but found line 2, column 23: a comma before }. Fix the file.",
    ],
    [
      "{\n  // mine\n}",
      "a JSON object of settings at FILE but found line 2, column 3: a comment, which JSON does not have.",
    ],
  ];
  for (const [config, message] of refused)
    it(`refuses ${JSON.stringify(config)}`, async () => {
      const expected = `Expected ${message.replace("FILE", folder.file("run.json"))}`;
      await assert.rejects(read(config), (error: Error) => {
        assert.equal(error.name, "InputError");
        assert.equal(error.message.slice(0, expected.length), expected);
        return true;
      });
    });

  it("suggests the nearest word for a split", async () => {
    await assert.rejects(read({ split: "offical" }), {
      message:
        "Did you mean official? Expected one of folders, official, official-test for split but received offical of type string",
    });
  });
});

describe("docs/run.schema.json", () => {
  it("describes the options of ferkit train: npx tsx scripts/run-config.ts writes it", () => {
    const program = new Command();
    addTrainCommand(program);
    const schema = JSON.parse(readFileSync(path.join(projectDir, "docs/run.schema.json"), "utf8"));
    assert.deepEqual(schema, JSON.parse(JSON.stringify(configSchema(program.commands[0]))));
  });
});
