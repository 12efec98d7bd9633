import { execute, executeMany, floatType, shape as shapeAttribute, string } from "./execute.js";
import { type Tensor, tf } from "./tf.js";

const dtype = floatType("dtype");
/**
 * TensorFlow's own name for variables that it names itself. With names of ours, its runtime would keep what it makes of each forever,
 * 3 MB for every training.
 */
const ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347";

/** A float32 variable inside the engine, which optimizer kernels change in place. */
export class Variable {
  readonly handle: Tensor;

  readonly shape: number[];

  /** Goes up whenever the value changes, so that what was made from the value can tell. */
  version = 0;

  /** @param initial - Returns the first value, which is disposed once the variable has it. */
  constructor(initial: () => Tensor) {
    const value = tf.tidy(initial);
    this.shape = value.shape;
    const attributes = [
      dtype,
      shapeAttribute("shape", this.shape),
      string("shared_name", ANONYMOUS),
      string("container", ""),
    ];
    this.handle = tf.keep(execute("VarHandleOp", attributes));
    this.assign(value);
    value.dispose();
  }

  /** Returns the current value; it shares the variable's buffer until either changes. The caller disposes it. */
  read(): Tensor {
    return execute("ReadVariableOp", [dtype], this.handle);
  }

  /** Sets the value, which stays the caller's. */
  assign(value: Tensor): void {
    executeMany("AssignVariableOp", 0, [dtype], ...changingHandlesOf([this]), value);
  }

  dispose(): void {
    executeMany("DestroyResourceOp", 0, [], this.handle);
    this.handle.dispose();
  }
}

/** Returns the handles for an op that reads the variables. */
export const handlesOf = (variables: readonly Variable[]): Tensor[] => variables.map(({ handle }) => handle);

/** Returns the handles for an op that changes the variables. */
export function changingHandlesOf(variables: readonly Variable[]): Tensor[] {
  noteChange(variables);
  return handlesOf(variables);
}

/** Notes that the values of variables change, if an op that has their handles does it. */
export function noteChange(variables: readonly Variable[]): void {
  for (const variable of variables) variable.version++;
}
