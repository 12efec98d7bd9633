import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import pins from "../../../scripts/setup/pins.json";
import { PLATFORMS, platformKey, platformName, platformOf } from "../../../scripts/setup/platforms.cjs";
import { projectDir } from "../../workspace.js";

describe("the platforms", () => {
  it("have a wheel each, whose name says the platform, and a digest", () => {
    assert.deepEqual(Object.keys(pins.libtensorflow), Object.keys(PLATFORMS));
    const digests = new Set<string>();
    for (const [key, wheels] of Object.entries(pins.libtensorflow)) {
      assert.ok("cpu" in wheels, key);
      for (const pin of Object.values(wheels)) {
        const { wheels: tag } = platformOf(key);
        assert.equal(pin.wheel, `${pin.package}-${pin.version}-cp311-cp311-${tag}.whl`);
        assert.match(pin.sha256, /^[0-9a-f]{64}$/);
        assert.ok(pin.numBytes > 1e8, `${pin.numBytes}`);
        digests.add(pin.sha256);
      }
    }
    assert.equal(digests.size, 4, "CPU and GPU on x86-64, CPU on two others");
    const versions = Object.values(pins.libtensorflow).flatMap((wheels) =>
      Object.values(wheels).map(({ version }) => version),
    );
    assert.deepEqual([...new Set(versions)], [pins.libtensorflow["linux-x64"].cpu.version]);
  });

  it("link each name to a library that is in the wheel", () => {
    for (const [key, platform] of Object.entries(PLATFORMS)) {
      assert.ok(platform, key);
      const ending = key.startsWith("darwin") ? /\.2\.dylib$/ : /\.so\.2$/;
      for (const library of platform.libraries) assert.match(library, ending);
      assert.deepEqual(new Set(Object.values(platform.links)), new Set(platform.libraries), key);
      // What -ltensorflow and -ltensorflow_framework look for.
      const suffix = key.startsWith("darwin") ? "dylib" : "so";
      for (const name of ["libtensorflow", "libtensorflow_framework"])
        assert.ok(`${name}.${suffix}` in platform.links, `${key}: ${name}`);
      assert.equal(platform.origin, key.startsWith("darwin") ? "@loader_path" : "$ORIGIN");
    }
  });

  it("are told by Node.js' names, and named in words", () => {
    assert.equal(platformKey({ platform: "linux", arch: "arm64" } as NodeJS.Process), "linux-arm64");
    assert.deepEqual(["linux-arm64", "darwin-arm64", "win32-x64", "sunos-mips"].map(platformName), [
      "Linux on arm64",
      "macOS on Apple silicon",
      "Windows on x86-64",
      "sunos on mips",
    ]);
    assert.throws(() => platformOf("win32-x64"), /^Error: set-up does not know Windows on x86-64$/);
  });
});

describe("npm's packages", () => {
  interface Locked {
    os?: string[];
    cpu?: string[];
    optionalDependencies?: Record<string, string>;
  }
  const { packages } = JSON.parse(readFileSync(path.join(projectDir, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };

  it("that hold compiled code have it for each platform", () => {
    const compiled = Object.entries(packages).filter(([, { optionalDependencies = {} }]) => {
      const names = Object.keys(optionalDependencies);
      return names.filter((name) => /(linux|darwin)-(x64|arm64)/.test(name)).length > 1;
    });
    assert.deepEqual(
      compiled.map(([name]) => name.replace(/.*node_modules\//, "")).filter((name) => name !== ""),
      ["@biomejs/biome", "@resvg/resvg-js", "esbuild", "sharp", "typescript-native"],
    );
    for (const [name, { optionalDependencies = {} }] of compiled)
      for (const key of Object.keys(PLATFORMS)) {
        const [os, cpu] = key.split("-");
        const fitting = Object.keys(optionalDependencies).filter((dependency) => {
          const { os: systems = [], cpu: processors = [] } = packages[`node_modules/${dependency}`] ?? {};
          return systems.includes(os) && processors.includes(cpu);
        });
        assert.notEqual(fitting.length, 0, `${name} on ${key}`);
      }
  });
});
