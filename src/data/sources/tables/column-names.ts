// What a column is for, by its name: the names that data sets usually give it.
import { type Part, partOf } from "../split-names.js";

const named = (names: RegExp) => (name: string) => names.test(name);

/** The class of each image. */
export const isLabelName = named(
  /^(label|labels|class|classes|class[ _-]?name|class[ _-]?label|label[ _-]?name|category|choice|emotion|expression|target|tag|y|species|breed|diagnosis|disease|type)$/i,
);
/** Numbers of the classes, if no column has their names. */
export const isLabelNumberName = named(
  /^(label|class|category|species|breed)[ _-]?(id|idx|index|no|number|code)$/i,
);
/** Names of labels that columns of other things often have, too. */
export const isVagueLabelName = named(/^(tag|y|type)$/i);
/** Fields with the label in the JSON beside an image, the usual ones first. */
export const LABEL_FIELDS = ["label", "class", "cls", "class_name", "category", "target"];

/** The part of the split, in a word. */
export const isPartName = named(/^(split|set|usage|subset|partition|phase|ml[ _-]?use|data[ _-]?set|part)$/i);
/** Names that a column of the split may have besides; one that names no part gets a note. */
export const mayBeSplitName = named(
  /(^|[ _-])(splits?|k?folds?|subset|partition|usage|(set|split|fold)[ _-]?ids?|(hold|held)[ _-]?out)($|[ _-])|^train[ _-]?(and[ _-])?(test|val)/i,
);
/** Whether an image is in a part, in 1 and 0 or in true and false: `is_test`, `isValid`, `train`. */
const FLAG = /^(?:(?:is|in|for)[ _-]+|is)?(.+)$/i;
const isBareFlag = named(/^(train|training|val|valid|validation|test|testing)$/i);
const isValidationFlag = named(/^(is[ _-]?)?(valid|validation|val)$/i);

/** Whom or what an image shows, or what it was taken from. */
const GROUP =
  /^(.*[ _-])?(patient|subject|person|participant|individual|identity|donor|animal|lesion|case|study|series|slide|specimen|session|video|clip|sequence|scene|burst|group|cluster)s?([ _-]?(id|ids|no|nr|number|name|key|code))?$/i;
export const isGroupName = (name: string) => GROUP.test(name.trim());

/** The image's file: its path, or its name. */
export const isFileName = named(
  /^((image|img|file|photo|picture|pic|frame)s?([ _-]?(path|file|name|file[ _-]?name|file[ _-]?path))?|(full|rel(ative)?)?[ _-]?path)$/i,
);
/** The folder of that file. */
export const isFolderName = named(/^(folder|dir|directory|sub[ _-]?(folder|dir))([ _-]?name)?$/i);
/** The image itself, in a Parquet file. */
export const isImageName = named(/^(image|img)$/i);
/** The image's number. */
const isIdName = named(
  /^(u?id|uuid|key|(image|img|file|photo|picture)[ _-]?(id|no|number|key)|id[ _-]?code)$/i,
);
/** The row's number. */
const isRowName = named(/^(|unnamed: ?\d+|index|rows?|row[ _-]?(id|no|number)|level_0|no|nr|#)$/i);
/** The row's number as pandas writes it, which is never a label. */
export const isIndexName = named(/^(unnamed: ?\d+)?$/i);

/** Whether a column has a usual name of one with the part of the split, as a word or as a flag. */
export function isSplitName(name: string): boolean {
  return isPartName(name) || flagPart(name) !== null;
}

/** Returns the part that a column of 0 and 1 is for, as `is_test`, `train` or `isValid`; null if its name says none. */
export function flagPart(name: string): Part | null {
  const [, inner = ""] = FLAG.exec(name.trim()) ?? [];
  return inner !== name.trim() || isBareFlag(inner) ? partOf(inner) : null;
}

/** Whether a name says that a column holds flags, even if it has other values; `train` and `test` may be names of something else. */
export function isFlagName(name: string): boolean {
  return isValidationFlag(name) || !isBareFlag(name);
}

/** Rank of a column that has the names of files, by its name. */
export const FILE_RANK = 3;

/** Ranks a name by how likely its column names the images. */
export function pathRank(name: string): number {
  if (isFileName(name) || /^name$/i.test(name)) return FILE_RANK;
  if (isIdName(name)) return 2;
  if (isRowName(name)) return 0;
  return isLabelName(name) || isSplitName(name) ? -1 : 1;
}
