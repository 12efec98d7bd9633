import { backend } from "../engine/device.js";
import { type Tensor, tf } from "../engine/tf.js";
import { Variable } from "../engine/variable.js";

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

  constructor(readonly options: AdamOptions) {}

  /** Moves the variables against their gradients. */
  update(updates: readonly ParameterUpdate[], learningRate: number): void {
    const all = updates.map((update) => {
      const { name, variable, gradient } = update;
      return {
        variable,
        gradient,
        moments: this.momentsOf(name, variable),
        ...this.next(update, learningRate),
      };
    });
    backend().adam(all, { ...this.options, learningRate });
  }

  /** Counts an update of a parameter; returns the count, and the share by which its value shrinks first. */
  next(
    { name, decays }: Pick<ParameterUpdate, "name" | "decays">,
    learningRate: number,
  ): { count: number; decay: number } {
    const count = (this.numUpdates.get(name) ?? 0) + 1;
    this.numUpdates.set(name, count);
    return { count, decay: decays ? learningRate * this.options.weightDecay : 0 };
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
    const values = [...this.variables.keys()].map((name) => variables.get(name) as Variable);
    backend().ema([...this.variables.values()], values, this.nextRate());
  }

  /** Counts an update; returns the share of the way that the EMA moves in it. */
  nextRate(): number {
    this.numUpdates++;
    return 1 - Math.min(this.decay, this.numUpdates / (this.numUpdates + 9));
  }

  read(): Map<string, Tensor> {
    return backend().readVariables(this.variables);
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }
}
