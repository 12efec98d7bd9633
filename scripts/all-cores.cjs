// Node.js reads files, and sharp decodes images, on four threads, unless more are asked for before the first is used.
const { availableParallelism } = require("node:os");

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));
