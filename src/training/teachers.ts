import { type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { InputError } from "../errors.js";
import { type Network, resizeToInput } from "../model/network.js";
import { loadModel } from "../model/weights/model-folder.js";

/**
 * Trained networks that another one learns from: what they say of each image, as it was augmented and mixed, is part of its
 * target. Dispose them when done.
 *
 * @see Hinton et al. 2015, https://arxiv.org/abs/1503.02531; Beyer et al. 2022, https://arxiv.org/abs/2106.05237
 */
export class Teachers {
  private constructor(
    private readonly networks: Network[],
    private readonly share: number,
  ) {}

  /**
   * Loads model folders; null where there are none.
   *
   * @param share - Of the targets, [0, 1]; the rest are the labels'.
   * @throws InputError when one is missing or has other classes.
   */
  static async load(dirs: string[], share: number, classNames: string[]): Promise<Teachers | null> {
    if (dirs.length === 0) return null;
    const teachers = new Teachers([], share);
    try {
      for (const dir of dirs) {
        const network = await loadModel(dir);
        teachers.networks.push(network);
        checkClasses(dir, network.config.classNames, classNames);
      }
    } catch (error) {
      teachers.dispose();
      throw error;
    }
    return teachers;
  }

  /**
   * Targets with the teachers' mean probabilities in them.
   *
   * @param images - As the student sees them, `[batchSize, imageSize, imageSize, 3]`; stay the caller's.
   * @param targets - From the labels, `[batchSize, numClasses]`; stay the caller's.
   * @returns `[batchSize, numClasses]`; the caller disposes it.
   */
  teach(images: Tensor4D, targets: Tensor2D): Tensor2D {
    return tf.tidy(() => {
      const probs = this.networks.map((network) =>
        tf.softmax(network.logits(resizeToInput(images, network.config))),
      );
      const mean = tf.addN(probs).div(probs.length);
      return targets.mul(1 - this.share).add(mean.mul(this.share)) as Tensor2D;
    });
  }

  dispose(): void {
    for (const network of this.networks) network.dispose();
  }
}

function checkClasses(dir: string, found: string[], classNames: string[]): void {
  if (found.join("\n") === classNames.join("\n")) return;
  throw new InputError({
    expected: `a teacher of the classes ${classNames.join(", ")}`,
    where: dir,
    found: found.join(", "),
    fix: "Give another model folder for `teachers`.",
  });
}
