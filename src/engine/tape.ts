import { add } from "./kernels.js";
import { type Tensor, tf } from "./tf.js";

/** Returns the gradients with respect to the inputs of a step, in their order; null for one that is not needed. */
type Backward = (dy: Tensor, needs: boolean[]) => (Tensor | null)[];

interface Step {
  output: Tensor;
  inputs: Tensor[];
  needs: boolean[];
  saved: Tensor[];
  backward: Backward;
}

/**
 * Reverse-mode differentiation over kernels, for one training step.
 *
 * Unlike tfjs' tape, which keeps every activation to the end and clones what it saves, it frees each activation as soon as the
 * backward pass has used it, and computes needed gradients only.
 */
export class Tape {
  private readonly steps: Step[] = [];
  private gradients = new Map<number, Tensor>();
  private readonly tracked = new Set<number>();

  /** @param variables - Tensors whose gradients are wanted; all others are constants. */
  constructor(variables: Iterable<Tensor>) {
    for (const { id } of variables) this.tracked.add(id);
  }

  /** True if the gradient with respect to this tensor is wanted. */
  tracks(tensor: Tensor): boolean {
    return this.tracked.has(tensor.id);
  }

  /**
   * Records that `output` was computed from `inputs`, and returns it.
   *
   * @param saved - Further tensors that only `backward` uses, which are freed after it.
   */
  record(output: Tensor, inputs: Tensor[], backward: Backward, saved: Tensor[] = []): Tensor {
    const needs = inputs.map((input) => this.tracks(input));
    if (!needs.includes(true)) {
      tf.dispose(saved);
      return output;
    }
    this.tracked.add(output.id);
    this.steps.push({ output, inputs, needs, saved, backward });
    return output;
  }

  /** Returns, in the backward pass, the gradient with respect to a variable so far; the tape keeps it. */
  gradientOf(variable: Tensor): Tensor {
    return this.gradients.get(variable.id) as Tensor;
  }

  /**
   * Runs backward from `output` and disposes everything recorded, with `output` and `dOutput`.
   *
   * @param dOutput - Gradient of the loss by `output`, of its shape.
   * @returns Gradient by tensor id, for each variable that the output depends on; the caller disposes them.
   */
  backward(output: Tensor, dOutput: Tensor): Map<number, Tensor> {
    const gradients = new Map<number, Tensor>([[output.id, dOutput]]);
    this.gradients = gradients;
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      const dy = gradients.get(step.output.id);
      if (dy) {
        gradients.delete(step.output.id);
        step.backward(dy, step.needs).forEach((gradient, i) => {
          if (gradient) accumulate(gradients, (step as Step).inputs[i].id, gradient);
        });
        if (!isPassedOn(gradients, dy)) dy.dispose();
      }
      step.output.dispose();
      tf.dispose(step.saved);
    }
    return gradients;
  }
}

function accumulate(gradients: Map<number, Tensor>, id: number, gradient: Tensor): void {
  const present = gradients.get(id);
  if (!present) {
    gradients.set(id, gradient);
    return;
  }
  gradients.set(id, add(present, gradient));
  if (!isPassedOn(gradients, present)) present.dispose();
  if (!isPassedOn(gradients, gradient)) gradient.dispose();
}

/** True if a step passed on the same `dy` that it was given, as a sum does. */
function isPassedOn(gradients: Map<number, Tensor>, tensor: Tensor): boolean {
  for (const gradient of gradients.values()) if (gradient === tensor) return true;
  return false;
}
