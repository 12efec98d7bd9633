import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { drawClassFolders, workspace } from "../workspace.js";

describe("ferkit with bad input", function () {
  this.timeout(600_000);
  const folder = workspace("suite");

  before("makes inputs", async () => {
    await drawClassFolders(folder.file("images"), 2);
    for (const name of ["disc", "ring"])
      cpSync(folder.file("images/disc"), folder.file("rings", name), { recursive: true });
    mkdirSync(folder.file("empty"));
    writeFileSync(folder.file("file"), "text");
    symlinkSync("loop", folder.file("loop"));
    writeFileSync(folder.file("space.json"), '{"space": {"seed": [0, 1]}}');
    const network = randomNetwork({ imageSize: 33, classNames: ["disc", "square"] });
    await saveModel(folder.file("model"), network.config, await network.parameters());
    network.dispose();
  });

  const train = ["train", "--data", "images", "--run", "run", "--set", "weights=random"];
  const evaluate = ["evaluate", "--model", "model", "--data"];
  /** Arguments, and what the message says after "ferkit: Expected ". */
  const cases: [string[], string | RegExp][] = [
    [
      ["train", "--preset", "best"],
      "Did you mean fer2013-best? Expected one of baseline, tutorial, fer2013, fer2013-best, fer2013-fast for preset but received best of type string",
    ],
    [
      [...train, "--set", "epoch=3"],
      /^Did you mean epochs\? Expected a known name for a training option but received epoch of/,
    ],
    [
      [...train, "--set", "epochs"],
      "name=value for --set but found epochs. Write for example --set epochs=3.",
    ],
    [
      [...train, "--set", "learningRate=-1"],
      "a number in [0, 10] for learningRate but received -1 of type number",
    ],
    [[...train, "--set", "epochs=NaN"], "an integer ≥ 1 for epochs but received NaN of type string"],
    [
      [...train, "--set", "imageSize=16"],
      "an integer in [33, 1024] for imageSize but received 16 of type number",
    ],
    [[...train, "--set", "variant=b9"], /^one of .* for variant but received b9 of type string/],
    [
      [...train, "--set", "augment=rotation=3"],
      `augmentation options by name, as in --set 'augment={"rotation":10,"zoom":[0.9,1.1]}', for augment but received rotation=3 of type string`,
    ],
    [
      [...train, "--set", "teachers=x,y"],
      `a list of model folders, as in --set 'teachers=["runs/a/best","runs/b/best"]', for teachers but received x,y of type string`,
    ],
    [
      [...train, "--set", "classWeights=a=3,b=1"],
      /^none, balanced or weights .* for classWeights but received a=3,b=1 of type string/,
    ],
    [
      [...train, "--set", "trainableFrom=end"],
      /^one of stem, .* for trainableFrom but received end of type string/,
    ],
    [
      [...train, "--fold", "1/5", "--validation-share", "0.1"],
      "--fold or --validation-share but found both. Remove one of them.",
    ],
    [[...train, "--validation-share", "abc"], "a number for --validation-share but found abc."],
    [
      [...train, "--validation-share", "-1"],
      "a number in [0, 1] for validationShare but received -1 of type number",
    ],
    [[...train, "--validation-share", "0"], /^images to validate on at images but found none\. /],
    [[...train, "--validation-share", "1"], /^images to train on at images but found none\. /],
    [[...train, "--max-unreadable-share", ""], "a number for --max-unreadable-share but found nothing."],
    [["data", "--image-size", "big"], "a number for --image-size but found big."],
    [["data", "--image-size", "0"], "an integer in [1, 1024] for imageSize but received 0 of type number"],
    [
      ["data", "--data", "none"],
      /^synthetic, fer2013, or a folder, .* at \S+\/none but found no such path\. /,
    ],
    [["data", "--data", "loop"], /^to read at \S+\/loop but found a link to itself\. Fix the path\.$/],
    [
      ["predict", "loop", "--model", "model"],
      /^to read at \S+\/loop but found a link to itself\. Fix the path\.$/,
    ],
    [["notebooks", "--folder", "loop"], /^a folder of notebooks at \S+\/loop but found /],
    [
      ["data", "--data", "file"],
      /^synthetic, fer2013, or a folder, .* at \S+\/file but found a file of another kind/,
    ],
    [
      ["data", "--data", "empty"],
      /^class folders with images, .* at \S+\/empty but found no images in class folders\. /,
    ],
    [[...evaluate, "rings"], /^the model's classes disc, square at \S+\/rings but found ring\. /],
    [[...evaluate, "images", "--validation-share", "0"], /^images to evaluate at images but found none\. /],
    [
      ["data", "--data", "synthetc"],
      /^synthetic, .* but found no such path\. Did you mean synthetic\? Fix the path\.$/,
    ],
    [
      ["evaluate", "--model", "fer2031"],
      /^a model folder, or .* but found no such path\. Did you mean fer2013\?$/,
    ],
    [["evaluate", "--model", "none"], /^a model folder with model\.json at \S+\/none but found none\. /],
    [
      ["predict", "none.png", "--model", "model"],
      /^an image or a folder .* at \S+none\.png but found no such path\. /,
    ],
    [["predict", "empty", "--model", "model"], /^images at \S+\/empty but found a folder without any\. /],
    [["predict", "images", "--model", "model", "--top", "abc"], "a number for --top but found abc."],
    [
      ["predict", "images", "--model", "model", "--top", "0"],
      "an integer ≥ 1 for --top but received 0 of type number",
    ],
    [
      ["predict", "images", "--model", "model", "--saliency"],
      "--chart FILE with --saliency but found no --chart. Add --chart FILE.",
    ],
    ...["data", "evaluate --model model", "robustness --model model", "train --find-learning-rate"].flatMap(
      (command): [string[], RegExp][] => {
        const chart = command.startsWith("train") ? [] : ["--chart"];
        return [
          [
            [...command.split(" "), ...chart, "a.gif", "--data", "images"],
            /^a chart's file .* found the ending \.gif\. /,
          ],
          [
            [...command.split(" "), ...chart, "images/disc/0.png", "--data", "images"],
            /^a path that is no input for --\S+ but found \S+\/images\/disc\/0\.png\. Choose another name, so that the input is kept\.$/,
          ],
        ];
      },
    ),
    [
      ["evaluate", "--model", "model", "--chart", "model/model.json"],
      /^a path that is no input for --chart /,
    ],
    [["runs", "model", "--chart", "model/model.json"], /^a path that is no input for --chart /],
    [["runs", "model", "--chart", "a"], /^a chart's file .* but found no ending\. /],
    [["predict", "images", "--chart", "images/disc/0.png"], /^a path that is no input for --chart /],
    [["predict", "images", "--chart", "a.gif"], /^a chart's file /],
    [["sweep", "--space", "space.json", "--data", "images", "--chart", "a.gif"], /^a chart's file /],
    [["convert", "model", "--to", "./model"], /^a path that is no input for --to but found \S+\/model\. /],
    [["notebooks", "--timeout", "soon"], "a number for --timeout but found soon."],
    [["notebooks", "--timeout", "-5"], "an integer ≥ 1 for --timeout but received -5 of type number"],
    [
      ["notebooks", "--folder", "none"],
      /^a folder of notebooks at \S+\/none but found no such path\. Choose another with --folder\.$/,
    ],
    [
      ["notebooks", "--data", "empty"],
      /^class folders .* at \S+\/empty but found no images in class folders\. /,
    ],
    [["data", "--data", ""], "a path, or . for this folder but found an empty one. Fix the option."],
    [["notebooks", "--set", "=3"], "name=value for --set but found =3. Write for example --set epochs=3."],
  ];
  for (const [args, expected] of cases)
    it(`refuses ${args.map((arg) => arg || "''").join(" ")}`, async () => {
      const before = readdirSync(folder.path).filter((name) => name !== "cache");
      const { status, stdout, stderr } = await folder.ferkit(...args);
      assert.notEqual(status, 0);
      assert.equal(stdout, "");
      // One line beside notes, so no stack.
      const [, message] =
        /^(?:note: [^\n]+\n)*ferkit: (?:Expected )?([^\n]+)\n$/.exec(stderr) ?? assert.fail(stderr);
      if (typeof expected === "string") assert.equal(message, expected);
      else assert.match(message, expected);
      assert.deepEqual(
        readdirSync(folder.path).filter((name) => name !== "cache"),
        before,
      );
    });

  const hint =
    "Run npx ferkit --help for the commands, or npx ferkit COMMAND --help for a command's options.\n";
  for (const [args, reason] of [
    [["predict"], "error: missing required argument 'images'"],
    [["evalute"], "error: unknown command 'evalute'\n(Did you mean evaluate?)"],
    [["train", "--presett", "tutorial"], "error: unknown option '--presett'\n(Did you mean --preset?)"],
    [
      ["train", "--batch-size", "3"],
      "error: unknown option '--batch-size'\n(Did you mean --set batchSize=…?)",
    ],
    [
      ["train", "my-images"],
      "error: too many arguments for 'train'. Expected 0 arguments but got 1.\n(Did you mean --data my-images?)",
    ],
    [
      ["train", "epochs=3"],
      "error: too many arguments for 'train'. Expected 0 arguments but got 1.\n(Did you mean --set epochs=3?)",
    ],
    [["runs", "--epochs", "3"], "error: unknown option '--epochs'"],
  ] as const)
    it(`hints at the help for ${args.join(" ")}`, async () => {
      const { status, stdout, stderr } = await folder.ferkit(...args);
      assert.deepEqual([status, stdout, stderr], [1, "", `${reason}\n${hint}`]);
    });

  it("says which value of an option is used that is given twice", async () => {
    const notes = async (...args: string[]) =>
      (await folder.ferkit("train", ...args, "--set", "epoch=1")).stderr.match(/^note: .*$/gm) ?? [];
    assert.deepEqual(await notes("--data", "images", "--data", "rings", "--run", "r", "--run=r"), [
      "note: --data is given twice; the last value is used: rings",
    ]);
    assert.deepEqual(await notes("--leave-out", "a", "--leave-out", "b", "--set", "epochs=1"), []);
  });
});
