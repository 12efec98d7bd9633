// Files of other programs that hold a whole data set and are not read.
import type { InputProblem } from "../../../errors.js";
import { inShort } from "../../../names.js";

interface UnreadFormat {
  files: RegExp;
  name: string;
  fix: string;
}

const UNREAD: UnreadFormat[] = [
  {
    files: /\.tf_?rec(ord)?s?(-\d+-of-\d+)?(\.gz)?$/i, // also compressed and in parts
    name: "TFRecord",
    fix: "Write the images into folders named by their classes, or into Parquet files, with TensorFlow.",
  },
  {
    files: /\.arrow$/i,
    name: "Arrow",
    fix: "Write Parquet files with Hugging Face's datasets: dataset.to_parquet(FILE).",
  },
  {
    // NumPy, HDF5, CIFAR's and MNIST's own files, LMDB, MXNet
    files:
      /\.(np[yz]|h5|hdf5|pkl|pickle|mdb|rec)$|(^|\/)(data_batch_\d+|test_batch)(\.bin)?$|-idx\d-ubyte(\.gz)?$/i,
    name: "arrays",
    fix: "Write the images into folders named by their classes, or into Parquet files.",
  },
];

/** Says of files in a format of whole data sets that they are not read; null if there are none. */
export function unreadDataSets(files: readonly string[]): Pick<InputProblem, "found" | "fix"> | null {
  for (const { files: pattern, name, fix } of UNREAD) {
    const found = files.filter((file) => pattern.test(file));
    if (found.length > 0) return { found: `${name}, which ferkit does not read: ${inShort(found)}`, fix };
  }
  return null;
}
