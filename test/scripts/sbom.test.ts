import assert from "node:assert/strict";
import { buildBom, licenseOf } from "../../scripts/sbom.js";
import { listFiles, readProjectFile } from "../source-files.js";

interface Locked {
  version: string;
  link?: boolean;
  hasInstallScript?: boolean;
}
const { packages } = JSON.parse(readProjectFile("package-lock.json")) as { packages: Record<string, Locked> };

describe("the bill of materials", () => {
  const bom = buildBom();

  it("names ferkit and its version, in CycloneDX", () => {
    const { name, version } = JSON.parse(readProjectFile("package.json"));
    assert.deepEqual(
      [bom.bomFormat, bom.metadata.component.name, bom.metadata.component.version],
      ["CycloneDX", name, version],
    );
  });

  it("has each package of npm, those of this Python, and what set-up unpacks", () => {
    const purls = new Set(bom.components.map(({ purl }) => purl.split("?")[0].toLowerCase()));
    const names = Object.entries(packages).flatMap(([at, { version, link }]) => {
      const name = at.slice(at.lastIndexOf("node_modules/") + "node_modules/".length);
      return at.includes("node_modules/") && !link
        ? [`pkg:npm/${name.replace("@", "%40")}@${version}`.toLowerCase()]
        : [];
    });
    assert.ok(names.length > 100);
    assert.deepEqual(
      names.filter((purl) => !purls.has(purl)),
      [],
    );
    const everywhere = readProjectFile("requirements.txt").match(/^[\w.-]+==[^ ]+(?= \\$)/gm) ?? [];
    assert.ok(everywhere.length > 50);
    for (const pinned of everywhere) {
      const purl = `pkg:pypi/${pinned
        .toLowerCase()
        .replace(/[-_.]+(?=.*==)/g, "-")
        .replace("==", "@")}`;
      assert.ok(purls.has(purl), purl);
    }
    assert.ok(purls.has("pkg:pypi/tensorflow-cpu@2.21.0"));
  });

  it("knows the licence of each", () => {
    const unknown = bom.components.filter((one) => licenseOf(one) === "unknown").map(({ purl }) => purl);
    assert.deepEqual(unknown, []);
  });
});

describe("an install script", () => {
  // Of these, set-up needs none: it fetches the engine's library itself, and the others ship their programs.
  const KNOWN = ["@tensorflow/tfjs-node-gpu", "core-js", "esbuild", "fsevents", "zeromq"];

  it("is in no package that nobody has looked at", () => {
    const found = Object.entries(packages).flatMap(([at, { hasInstallScript }]) =>
      hasInstallScript ? at.slice(at.lastIndexOf("node_modules/") + "node_modules/".length) : [],
    );
    assert.deepEqual(
      [...new Set(found)].filter((name) => !KNOWN.includes(name)),
      [],
    );
  });

  it("is not run by set-up, and ferkit has none", () => {
    assert.match(readProjectFile("scripts/bootstrap.mjs"), /\["ci", "--ignore-scripts"/);
    const { scripts } = JSON.parse(readProjectFile("package.json")) as { scripts: Record<string, string> };
    const own = Object.keys(scripts).filter((name) =>
      /^(pre|post)?(install|prepare|pack|publish)/.test(name),
    );
    assert.deepEqual(own, ["prepack"]); // which runs where the tarball is made
  });

  it("is not run by a workflow either, but for packages of the repository that calls it", () => {
    const ownWorkflows = listFiles([".github"], [".yml"]).filter((file) => !file.endsWith("/notebooks.yml"));
    for (const file of ownWorkflows)
      for (const [line] of readProjectFile(file).matchAll(/npm (ci|install|i)\b.*/g))
        assert.match(line, /--ignore-scripts/, file);
  });
});
