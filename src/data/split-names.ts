/** How to split: as the folders do, or as the challenge did that FER-2013 was made for. */
export const SPLIT_CHOICES = ["folders", "official", "official-test"] as const;
export type SplitChoice = (typeof SPLIT_CHOICES)[number];

/** How a data set was split; without split folders a share was held out, or all images validate. */
export type SplitName = SplitChoice | "held-out" | "all";

/** What each of them validates on, in words. */
export const SPLIT_WORDS: Readonly<Record<SplitName, string>> = {
  folders: "the validation folder",
  official: "PublicTest of the official split",
  "official-test": "PrivateTest of the official split",
  "held-out": "a share that was held out",
  all: "all images",
};
