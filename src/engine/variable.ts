import { execute, executeMany, floatType, int, shape as shapeAttribute, string } from "./execute.js";
import { hasNativeOps } from "./native.js";
import { type Tensor, tf } from "./tf.js";

let numVariables = 0;
const dtype = floatType("dtype");

/** A float32 variable inside the engine, which optimizer kernels change in place. */
export class Variable {
  readonly handle: Tensor;

  readonly shape: number[];

  /** @param initial - Gives the first value, which is disposed when the variable has it. */
  constructor(initial: () => Tensor) {
    const value = tf.tidy(initial);
    this.shape = value.shape;
    const attributes = [
      dtype,
      shapeAttribute("shape", this.shape),
      string("shared_name", `ferkit/${numVariables++}`),
      string("container", ""),
    ];
    this.handle = tf.keep(execute("VarHandleOp", attributes));
    this.assign(value);
    value.dispose();
  }

  /** The value now; shares its buffer with the variable until either changes. The caller disposes it. */
  read(): Tensor {
    return execute("ReadVariableOp", [dtype], this.handle);
  }

  /** The value stays the caller's; the engine copies its buffer when either changes. */
  assign(value: Tensor): void {
    executeMany("AssignVariableOp", 0, [dtype], this.handle, value);
  }

  dispose(): void {
    executeMany("DestroyResourceOp", 0, [], this.handle);
    this.handle.dispose();
  }
}

/** The value of each variable now, as `read` gives it, by one call where native ops are. The caller disposes them. */
export function readVariables(variables: ReadonlyMap<string, Variable>): Map<string, Tensor> {
  const all = [...variables.values()];
  const values = hasNativeOps()
    ? executeMany("FerkitReadVariables", all.length, [int("N", all.length)], ...handlesOf(all))
    : all.map((variable) => variable.read());
  return new Map([...variables.keys()].map((name, i) => [name, values[i]]));
}

/** Gives variables new values, by one call where native ops are; the values stay the caller's. */
export function assignVariables(
  variables: ReadonlyMap<string, Variable>,
  values: ReadonlyMap<string, Tensor>,
): void {
  const assigned = [...values.keys()].map((name) => variables.get(name) as Variable);
  if (!hasNativeOps()) {
    [...values.values()].forEach((value, i) => {
      assigned[i].assign(value);
    });
  } else if (assigned.length > 0) {
    const inputs = [...handlesOf(assigned), ...values.values()];
    executeMany("FerkitAssignVariables", 0, [int("N", assigned.length)], ...inputs);
  }
}

export const handlesOf = (variables: readonly Variable[]): Tensor[] => variables.map(({ handle }) => handle);
