import { execute, executeMany, floatType, shape as shapeAttribute, string } from "./execute.js";
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
