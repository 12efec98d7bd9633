// What a column is for, by its name: the names that data sets usually give it.
import { type Part, partOf } from "../split-names.js";

/** The class of each image. */
const LABEL =
  /^(label|labels|class|classes|class[ _-]?name|class[ _-]?label|label[ _-]?name|category|emotion|expression|target|tag|y|species|breed|diagnosis|disease|type)$/i;
/** Numbers of the classes, if no column has their names. */
const LABEL_NUMBER = /^(label|class|category|species|breed)[ _-]?(id|idx|index|no|number|code)$/i;
/** Names of labels that columns of other things often have, too. */
const VAGUE_LABEL = /^(tag|y|type)$/i;
/** The part of the split. */
const SPLIT = /^(split|set|usage|subset|partition|phase|ml[ _-]?use|data[ _-]?set|part)$/i;
/** Names that a column of the split may have besides; one that names no part gets a note. */
const MAY_BE_SPLIT =
  /(^|[ _-])(splits?|folds?|subset|partition|usage|(set|split|fold)[ _-]?ids?|(hold|held)[ _-]?out)($|[ _-])|^train[ _-]?(and[ _-])?(test|val)/i;
/** Whether an image is in a part, in 1 and 0 or in true and false: `is_test`, `isValid`, `train`. */
const FLAG = /^(?:(?:is|in|for)[ _-]+|is)?(.+)$/i;
const BARE_FLAG = /^(train|training|val|valid|validation|test|testing)$/i;
const VALIDATION_FLAG = /^(is[ _-]?)?(valid|validation|val)$/i;
/** The image's file: its path, or its name. */
const FILE =
  /^((image|img|file|photo|picture|pic|frame)s?([ _-]?(path|file|name|file[ _-]?name|file[ _-]?path))?|(full|rel(ative)?)?[ _-]?path)$/i;
const NAME = /^name$/i;
/** Whom or what an image shows, or what it was taken from. */
const GROUP =
  /^(.*[ _-])?(patient|subject|person|participant|individual|identity|donor|animal|lesion|case|study|series|slide|specimen|session|video|clip|sequence|scene|burst|group|cluster)s?([ _-]?(id|ids|no|nr|number|name|key|code))?$/i;
/** The image itself, in a Parquet file. */
const IMAGE = /^(image|img)$/i;
/** The folder of that file. */
const FOLDER = /^(folder|dir|directory|sub[ _-]?(folder|dir))([ _-]?name)?$/i;
/** The image's number. */
const ID = /^(u?id|uuid|key|(image|img|file|photo|picture)[ _-]?(id|no|number|key)|id[ _-]?code)$/i;
/** The row's number. */
const ROW = /^(|unnamed: ?\d+|index|rows?|row[ _-]?(id|no|number)|level_0|no|nr|#)$/i;
/** The row's number as pandas writes it, which is never a label. */
const INDEX = /^(unnamed: ?\d+)?$/i;

/** Fields with the label in the JSON beside an image, the usual ones first. */
export const LABEL_FIELDS = ["label", "class", "cls", "class_name", "category", "target"];

export function isLabelName(name: string): boolean {
  return LABEL.test(name);
}

/** Whether a column has a usual name of one with numbers of classes. */
export function isLabelNumberName(name: string): boolean {
  return LABEL_NUMBER.test(name);
}

/** Whether a name of labels is as usual for columns of other things. */
export function isVagueLabelName(name: string): boolean {
  return VAGUE_LABEL.test(name);
}

/** Whether a column has a usual name of one with the part of the split, as a word or as a flag. */
export function isSplitName(name: string): boolean {
  return isPartName(name) || flagPart(name) !== null;
}

/** Whether a column has a usual name of one with the words for the parts of the split. */
export function isPartName(name: string): boolean {
  return SPLIT.test(name);
}

/** Whether a column may have the part of the split, by a word in its name. */
export function mayBeSplitName(name: string): boolean {
  return MAY_BE_SPLIT.test(name);
}

/** Returns the part that a column of 0 and 1 is for, as `is_test`, `train` or `isValid`; null if its name says none. */
export function flagPart(name: string): Part | null {
  const [, inner = ""] = FLAG.exec(name.trim()) ?? [];
  return inner !== name.trim() || BARE_FLAG.test(inner) ? partOf(inner) : null;
}

/** Whether a name says that a column holds flags, even if it has other values; `train` and `test` may be names of something else. */
export function isFlagName(name: string): boolean {
  return VALIDATION_FLAG.test(name) || !BARE_FLAG.test(name);
}

export function isFileName(name: string): boolean {
  return FILE.test(name);
}

/** Whether a column has a usual name of one that says which images belong together. */
export function isGroupName(name: string): boolean {
  return GROUP.test(name.trim());
}

export function isImageName(name: string): boolean {
  return IMAGE.test(name);
}

export function isFolderName(name: string): boolean {
  return FOLDER.test(name);
}

export function isIndexName(name: string): boolean {
  return INDEX.test(name);
}

/** Rank of a column that has the names of files, by its name. */
export const FILE_RANK = 3;

/** Ranks a name by how likely its column names the images. */
export function pathRank(name: string): number {
  if (FILE.test(name) || NAME.test(name)) return FILE_RANK;
  if (ID.test(name)) return 2;
  if (ROW.test(name)) return 0;
  return isLabelName(name) || isSplitName(name) ? -1 : 1;
}
