// What a folder is, by its name, if it is neither a class nor a part of the split.

const named = (names: RegExp) => (name: string) => names.test(name);

/** Folders that are often beside classes, and seldom are one. */
export const isSeldomClass = named(
  /^(_?(samples?|examples?|demo|preview|masks?|labels?|annotations?|duplicates?|removed|rejected|clean(ed|up)?|unsorted|unlabell?ed|unused|misc|backup|old|tmp|temp|trash|augmented|crops|predictions?|results?|outputs?|logs?|cache|raw|originals?|new))([_ -]?(images?|pics|files|data))?$/i,
);
/** Pieces of a data set, also after other words (`HAM_part_1`), or of a day. */
const isPiece = named(
  /(^|[ _-])(part|batch|chunk|shard|images?|imgs?|data|set|group|folder|dir|day|session|cam(era)?|person|subject|s|p|vol(ume)?|disk|page)[ _-]?\d+$|^\d{4}([ _-]?\d\d){1,2}$/i,
);
/** Folders with all images, or with what is known about them. */
export const isWhole = named(
  /^((all[ _-]?)?(images?|imgs?|photos?|jpe?g[ _-]?images)([ _-]?(originals?|compressed|resized|small|large|raw|processed|\d+(x\d+)?))?|annotations?|labels?|masks?|segmentations?|trimaps?|ground[ _-]?truths?)$/i,
);
/** Parts that are held out, in several languages. */
export const isHeldOutName = named(/^(hold|held|test|val|eval|dev)/i);

/** Names of folders in a class whose images seldom are further ones of it. */
const COPIES =
  /^_?(thumb(nail)?s?|masks?|segmentations?|labels?|annotations?|trimaps?|ground[ _-]?truths?|originals?|raw|backup|old|tmp|temp|cache|previews?|augmented)$/i;
/** Whether a folder in a class has the name of one with masks, thumbnails or copies. */
export function isCopies(name: string): boolean {
  return COPIES.test(name);
}

/** Whether folders may be no classes. A single folder of all images is an error elsewhere. */
export function areDoubtful(names: string[]): boolean {
  return names.every(isPiece) || (names.length > 1 && names.every(isWhole));
}

/** Words before a number or a letter that name classes. */
const isClassWord = named(
  /^(n|c|y|class(es)?|cls|categor(y|ies)|cat|labels?|digits?|numbers?|levels?|grades?|stages?|degrees?|types?|kinds?|species|breeds?|scores?|stat(e|us))$/,
);
/** Words before a number that seldom name classes: whom or what images were taken from, or pieces of the data set; and those that may. */
const isSource = named(
  /^(patient|participant|case|study|series|slide|specimen|session|scan|video|clip|sequence|burst|donor|site|hospital|batch|chunk|shard|day|camera)s?$/,
);
const maybeSource = named(
  /^(subject|person|user|individual|animal|s|p|part|set|group|scene|cam|visit|cent(er|re)|location|lot|run|page)s?$/,
);

/** Returns the word of names that differ only in a number or a capital letter behind it, as `patient01` or `siteA`; null if there is none. */
function sharedWord(names: string[]): string | null {
  const [word = null, ...others] = new Set(
    names.map((name) => /(\p{L}+?)[ _-]*(?:\d+|(?<=[\p{Ll} _-])\p{Lu})$/u.exec(name)?.[1].toLowerCase()),
  );
  return names.length > 1 && others.length === 0 ? word : null;
}

/** Whether names are numbered or lettered and no word says that they are classes, as `siteA` and `siteB`. */
export function areInstances(names: string[]): boolean {
  const word = sharedWord(names);
  return word !== null && !isClassWord(word);
}

/** A day or a month: `2024-01-31`, `31.01.2024`, `20240131`, `2024-01`. */
const isDate = named(
  /^((19|20)\d\d([ ._-]?)(0[1-9]|1[0-2])\3(0[1-9]|[12]\d|3[01])|(0[1-9]|[12]\d|3[01])[ ._-](0[1-9]|1[0-2])[ ._-](19|20)\d\d|(19|20)\d\d[ ._-](0[1-9]|1[0-2]))$/,
);

/** Whether names are days or months, which images were taken on. */
export function areDates(names: string[]): boolean {
  return names.length > 1 && names.every(isDate);
}

/** Tells whether numbered names are whom or what images were taken from: `surely`, as `patient01`, or `maybe`, as `s1`; null otherwise. */
export function areSources(names: string[]): "surely" | "maybe" | null {
  const word = sharedWord(names) ?? "";
  return isSource(word) ? "surely" : maybeSource(word) ? "maybe" : null;
}

/** Whether names are numbers of equal length with leading zeros, as those of shards: `0000`, `0001`. They may be classes, too. */
export function areNumbered(names: string[]): boolean {
  return names.every((name) => /^\d{3,}$/.test(name) && name.length === names[0].length);
}
