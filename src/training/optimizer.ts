import { bool, executeMany, floatType } from "../engine/execute.js";
import { multiply, subtract } from "../engine/kernels.js";
import { type Tensor, tf } from "../engine/tf.js";
import { Variable } from "../engine/variable.js";

export interface AdamOptions {
  /** Share by which kernels shrink each step, times the learning rate; 0 = Adam, above = AdamW. */
  weightDecay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
}

export const ADAM_DEFAULTS: AdamOptions = { weightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

const APPLY_ADAM = [floatType(), bool("use_locking", false), bool("use_nesterov", false)];
const APPLY_GRADIENT = [floatType(), bool("use_locking", false)];

/**
 * Adam in place by TensorFlow's kernel, with decoupled weight decay. Dispose it when done.
 *
 * @see Kingma & Ba 2015, https://arxiv.org/abs/1412.6980; Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101
 */
export class Adam {
  /** First and second moments by parameter name; made when a parameter is first updated. */
  readonly moments = new Map<string, [Variable, Variable]>();
  /** Updates that each parameter had: an unfrozen one starts its own bias correction. */
  readonly numUpdates = new Map<string, number>();

  constructor(private readonly options: AdamOptions) {}

  /** Moves `variable` against `gradient`, which stays the caller's. */
  update(name: string, variable: Variable, gradient: Tensor, learningRate: number, decays: boolean): void {
    const { weightDecay, beta1, beta2, epsilon } = this.options;
    if (decays && weightDecay > 0) shrink(variable, learningRate * weightDecay);
    const [first, second] = this.momentsOf(name, variable);
    const count = (this.numUpdates.get(name) ?? 0) + 1;
    this.numUpdates.set(name, count);
    tf.tidy(() => {
      const scalars = [beta1 ** count, beta2 ** count, learningRate, beta1, beta2, epsilon].map((value) =>
        tf.scalar(value),
      );
      const handles = [variable.handle, first.handle, second.handle];
      executeMany("ResourceApplyAdam", 0, APPLY_ADAM, ...handles, ...scalars, gradient);
    });
  }

  momentsOf(name: string, { shape }: Variable): [Variable, Variable] {
    let moments = this.moments.get(name);
    if (!moments) {
      moments = [new Variable(() => tf.zeros(shape)), new Variable(() => tf.zeros(shape))];
      this.moments.set(name, moments);
    }
    return moments;
  }

  dispose(): void {
    for (const moments of this.moments.values()) for (const moment of moments) moment.dispose();
  }
}

/**
 * An exponential moving average of parameters, which is evaluated and kept in their place. Dispose it when done.
 *
 * @see Polyak & Juditsky 1992; timm's ModelEmaV2 for the use with moving statistics included
 */
export class Average {
  readonly variables: Map<string, Variable>;
  numUpdates = 0;

  /** @param decay - Share of the average that stays at each update, [0, 1). */
  constructor(
    variables: ReadonlyMap<string, Variable>,
    private readonly decay: number,
  ) {
    this.variables = new Map(
      [...variables].map(([name, variable]) => [name, new Variable(() => variable.read())]),
    );
  }

  /** Moves the average towards `variables`; faster at first, so that it does not stand for the untrained values. */
  update(variables: ReadonlyMap<string, Variable>): void {
    this.numUpdates++;
    const decay = Math.min(this.decay, this.numUpdates / (this.numUpdates + 9));
    tf.tidy(() => {
      const rate = tf.scalar(1 - decay);
      for (const [name, average] of this.variables) {
        const difference = subtract(average.read(), (variables.get(name) as Variable).read());
        executeMany("ResourceApplyGradientDescent", 0, APPLY_GRADIENT, average.handle, rate, difference);
      }
    });
  }

  read(): Map<string, Tensor> {
    return new Map([...this.variables].map(([name, variable]) => [name, variable.read()]));
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }
}

function shrink(variable: Variable, share: number): void {
  tf.tidy(() => variable.assign(multiply(variable.read(), tf.scalar(1 - share))));
}
