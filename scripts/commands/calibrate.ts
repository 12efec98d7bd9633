import path from "node:path";
import type { Command } from "commander";
import { InputError, internals, saveModel } from "../../src/index.js";
import {
  callerPath,
  type DataFlags,
  dataOptions,
  hideSplitOptions,
  isBundled,
  printData,
  printJson,
  printRemarks,
  refuseSplits,
  scoredModelFolder,
  withDataOptions,
  withExamples,
  withScoredModelOption,
} from "../options.js";
import { checkNewFolder } from "../outputs.js";
import { dataProgress } from "../progress.js";

const {
  calibrateOn,
  lackingNote,
  listCalibration,
  loadParameters,
  loadUnseenImages,
  MIN_CALIBRATION_IMAGES,
  percent,
  temperatureNotes,
} = internals;

interface Flags extends DataFlags {
  model?: string;
  to?: string;
}

export function addCalibrateCommand(program: Command): void {
  const command = withScoredModelOption(withDataOptions(program.command("calibrate")));
  hideSplitOptions(command);
  withExamples(command, "npx ferkit calibrate --data more-images --model runs/mine/best")
    .option("--to <folder>", "new or empty folder for a copy; by default the model itself is changed")
    .option("--json", "print what was fitted on one line")
    .action(async (flags: Flags) => {
      refuseSplits(
        flags,
        "all images are used that the model's run did not have",
        "Remove it; --leave-out leaves out folders.",
      );
      const dir = scoredModelFolder(flags);
      if (flags.to === undefined && isBundled(dir))
        throw new InputError({
          expected: "--to with a bundled model, which all projects share",
          where: dir,
          found: "none",
          fix: "Add --to FOLDER for a copy.",
        });
      const given = flags.to === undefined ? dir : callerPath(flags.to);
      const to = path.relative(dir, given) === "" ? dir : checkNewFolder("--to", given);
      const { precision, weightFile, ...model } = await loadParameters(dir);
      const loading = dataProgress();
      const options = { ...dataOptions(flags), onProgress: loading.onProgress };
      const { images, digests, report, notes } = await loadUnseenImages(dir, options).finally(loading.stop);
      printData(flags, report);
      const lacking = images.numImages === 0 ? null : lackingNote(images, model.config.classNames);
      printRemarks(report, lacking === null ? notes : [...notes, lacking]);
      if (images.numImages < MIN_CALIBRATION_IMAGES)
        throw new InputError({
          expected: `${MIN_CALIBRATION_IMAGES} images or more that the model's run did not have`,
          where: flags.data ?? options.data,
          found: String(images.numImages),
          fix: "Choose other images, or train with --set calibrationShare=0.1, which sets some aside.",
        });
      const { config, parameters, ...fitted } = await calibrateOn(model, images);
      for (const note of temperatureNotes(fitted)) console.error(`note: ${note}`);
      config.calibratedFrom ??= weightFile;
      await saveModel(to, config, parameters, precision);
      await listCalibration(dir, to, digests);
      const temperature = config.calibration?.temperature ?? null;
      const { thresholds = [], numImages } = config.predictionSets ?? {};
      if (flags.json) return printJson({ model: to, numImages, temperature, thresholds });
      console.log(`calibrated on ${numImages} images: ${to}`);
      if (temperature !== null) console.log(`logits divided by ${temperature.toFixed(3)}`);
      for (const { coverage, minProb } of thresholds)
        console.log(`sets for ${percent(coverage, 0)}: classes of at least ${percent(minProb)}`);
    });
}
