// What a folder is, by its name, if it is neither a class nor a part of the split.

/** Names of folders that are often beside classes, and seldom are one. */
const SELDOM_CLASS =
  /^(_?(samples?|examples?|demo|preview|masks?|labels?|annotations?|duplicates?|removed|rejected|clean(ed|up)?|unsorted|unlabell?ed|unused|misc|backup|old|tmp|temp|trash|augmented|crops|predictions?|results?|outputs?|logs?|cache|raw|originals?|new))([_ -]?(images?|pics|files|data))?$/i;

export function isSeldomClass(name: string): boolean {
  return SELDOM_CLASS.test(name);
}

/** Names of folders that seldom are classes: images in several pieces, also after other words (`HAM_part_1`), or of a day. */
const PIECE =
  /(^|[ _-])(part|batch|chunk|shard|images?|imgs?|data|set|group|folder|dir|day|session|cam(era)?|person|subject|s|p|vol(ume)?|disk|page)[ _-]?\d+$|^\d{4}([ _-]?\d\d){1,2}$/i;
/** Whether a folder has the name of a piece of a data set rather than of a class. */
function isPiece(name: string): boolean {
  return PIECE.test(name);
}

/** Names of folders with all images, or with what is known about them. */
const WHOLE =
  /^((all[ _-]?)?(images?|imgs?|photos?|jpe?g[ _-]?images)|annotations?|labels?|masks?|segmentations?|trimaps?|ground[ _-]?truths?)$/i;
/** Whether a folder has the name of one with all images, or with what is known about them. */
export function isWhole(name: string): boolean {
  return WHOLE.test(name);
}

/** Whether folders may be no classes. A single folder of all images is an error elsewhere. */
export function areDoubtful(names: string[]): boolean {
  return names.every(isPiece) || (names.length > 1 && names.every(isWhole));
}

/** Beginnings of names of parts that are held out, in several languages. */
const HELD_OUT = /^(hold|held|test|val|eval|dev)/i;

export function isHeldOutName(name: string): boolean {
  return HELD_OUT.test(name);
}
