import { bool, executeMany, float, floatType, int } from "../engine/execute.js";
import { multiply, subtract } from "../engine/kernels.js";
import { hasNativeOps } from "../engine/native.js";
import { type Tensor, tf } from "../engine/tf.js";
import { handlesOf, readVariables, Variable } from "../engine/variable.js";

export interface AdamOptions {
  /** Share of each kernel that is removed per step, times the learning rate; 0 = Adam, above 0 = AdamW. */
  weightDecay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
}

export const ADAM_DEFAULTS: AdamOptions = { weightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

/** Update of one parameter. */
export interface ParameterUpdate {
  name: string;
  variable: Variable;
  /** Gradient of the loss with respect to the parameter; the caller keeps it. */
  gradient: Tensor;
  /** Whether weight decay applies. */
  decays: boolean;
}

const APPLY_ADAM = [floatType(), bool("use_locking", false), bool("use_nesterov", false)];
const APPLY_GRADIENT = [floatType(), bool("use_locking", false)];

/**
 * Adam with decoupled weight decay; updates variables in place. Dispose it when done.
 *
 * @see Kingma & Ba 2015, https://arxiv.org/abs/1412.6980; Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101
 */
export class Adam {
  /** First and second moments by parameter name, created at a parameter's first update. */
  readonly moments = new Map<string, [Variable, Variable]>();
  /** Updates of each parameter so far, since bias correction starts when a parameter is first trained. */
  readonly numUpdates = new Map<string, number>();

  constructor(private readonly options: AdamOptions) {}

  /** Moves the variables against their gradients; native ops do it in one call. */
  update(updates: readonly ParameterUpdate[], learningRate: number): void {
    const { weightDecay } = this.options;
    const shares = updates.map(({ decays }) => (decays ? learningRate * weightDecay : 0));
    const moments = updates.map(({ name, variable }) => this.momentsOf(name, variable));
    const counts = updates.map(({ name }) => (this.numUpdates.get(name) ?? 0) + 1);
    updates.forEach(({ name }, i) => {
      this.numUpdates.set(name, counts[i]);
    });
    tf.tidy(() => {
      if (hasNativeOps() && updates.length > 0) this.applyAll(updates, moments, counts, shares, learningRate);
      else
        updates.forEach(({ variable, gradient }, i) => {
          if (shares[i] > 0) shrink(variable, shares[i]);
          this.apply(variable, moments[i], gradient, counts[i], learningRate);
        });
    });
  }

  private applyAll(
    updates: readonly ParameterUpdate[],
    moments: [Variable, Variable][],
    counts: number[],
    shares: number[],
    learningRate: number,
  ): void {
    const { epsilon } = this.options;
    // Rounded as in the kernel: 1 − 0.999 differs by 5e-5 in float32, which would not cancel.
    const [beta1, beta2] = [this.options.beta1, this.options.beta2].map(Math.fround);
    const sizes = counts.map(
      (count) => (learningRate * Math.sqrt(1 - beta2 ** count)) / (1 - beta1 ** count),
    );
    executeMany(
      "FerkitAdam",
      0,
      [int("N", updates.length), float("beta1", beta1), float("beta2", beta2), float("epsilon", epsilon)],
      ...handlesOf(updates.map(({ variable }) => variable)),
      ...handlesOf(moments.map(([first]) => first)),
      ...handlesOf(moments.map(([, second]) => second)),
      ...updates.map(({ gradient }) => gradient),
      tf.tensor1d(sizes),
      tf.tensor1d(shares),
    );
  }

  private apply(
    { handle }: Variable,
    [first, second]: [Variable, Variable],
    gradient: Tensor,
    count: number,
    learningRate: number,
  ): void {
    const { beta1, beta2, epsilon } = this.options;
    const scalars = [beta1 ** count, beta2 ** count, learningRate, beta1, beta2, epsilon].map((value) =>
      tf.scalar(value),
    );
    executeMany(
      "ResourceApplyAdam",
      0,
      APPLY_ADAM,
      handle,
      ...handlesOf([first, second]),
      ...scalars,
      gradient,
    );
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
 * Exponential moving average (EMA) of parameters, which is evaluated and saved in their place. Dispose it when done.
 *
 * @see Polyak & Juditsky 1992; timm's ModelEmaV2, which averages moving statistics too
 */
export class Ema {
  readonly variables: Map<string, Variable>;
  numUpdates = 0;

  /** @param decay - Share of the EMA that each update keeps, [0, 1). */
  constructor(
    variables: ReadonlyMap<string, Variable>,
    private readonly decay: number,
  ) {
    this.variables = new Map(
      [...variables].map(([name, variable]) => [name, new Variable(() => variable.read())]),
    );
  }

  /** Moves the EMA towards `variables`; faster at first, so that it soon forgets the untrained values. */
  update(variables: ReadonlyMap<string, Variable>): void {
    this.numUpdates++;
    const decay = Math.min(this.decay, this.numUpdates / (this.numUpdates + 9));
    tf.tidy(() => {
      const rate = tf.scalar(1 - decay);
      if (hasNativeOps()) {
        const averaged = [...this.variables.values()];
        const values = [...this.variables.keys()].map((name) => variables.get(name) as Variable);
        const handles = [...handlesOf(averaged), ...handlesOf(values)];
        executeMany("FerkitEma", 0, [int("N", averaged.length)], ...handles, rate);
        return;
      }
      for (const [name, average] of this.variables) {
        const difference = subtract(average.read(), (variables.get(name) as Variable).read());
        executeMany("ResourceApplyGradientDescent", 0, APPLY_GRADIENT, average.handle, rate, difference);
      }
    });
  }

  read(): Map<string, Tensor> {
    return readVariables(this.variables);
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }
}

/** Multiplies a variable by 1 − share; call it inside `tf.tidy`. */
function shrink(variable: Variable, share: number): void {
  variable.assign(multiply(variable.read(), tf.scalar(1 - share)));
}
