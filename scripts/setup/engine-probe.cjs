// Starts the engine in a process of its own and reports on it as one line of JSON: node --require tsx/cjs engine-probe.cjs
const os = require("node:os");
const { device } = require("../../src/engine/device.ts");
const { tf } = require("../../src/engine/tf.ts");

const product = tf.tidy(() =>
  tf
    .matMul(
      tf.tensor2d([
        [1, 2],
        [3, 4],
      ]),
      tf.tensor2d([
        [5, 6],
        [7, 8],
      ]),
    )
    .dataSync(),
);
// d(x³)/dx = 3x², so 12 at 2.
const gradient = tf.tidy(
  () =>
    tf
      .grad((x) => x.pow(tf.scalar(3)))(tf.scalar(2))
      .dataSync()[0],
);
const backend = tf.backend();
const cpus = os.cpus();
const isRight = [19, 22, 43, 50].every((value, i) => product[i] === value) && Math.abs(gradient - 12) < 1e-4;

console.log(
  JSON.stringify({
    isRight,
    libtensorflow: backend.binding.TF_Version,
    tfjs: tf.version["tfjs-core"],
    isGpu: backend.isUsingGpuDevice,
    device: backend.isUsingGpuDevice
      ? "GPU"
      : `CPU (${cpus[0]?.model.trim() ?? "unknown"}, ${os.availableParallelism()} threads)`,
    kernels: device().kernels,
  }),
);
