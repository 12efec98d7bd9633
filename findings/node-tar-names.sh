#!/usr/bin/env bash
# tar 7.5.23 (node-tar): names that are not UTF-8 are decoded with U+FFFD for each such byte, also in `strict` mode, so that files with
# different names are unpacked over each other, without an error. Until it changes: look at the bytes of the headers, or convert the
# names before packing.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts tar@7.5.23

mkdir in out
printf 'one' > "$(printf 'in/p\xeache.txt')"
printf 'two' > "$(printf 'in/p\xe8che.txt')"
LC_ALL=C tar cf names.tar --sort=name in
cat > read.js <<'JS'
const fs = require("fs");
require("tar").extract({ file: "names.tar", cwd: "out", strict: true, sync: true });
console.log(`packed: ${fs.readdirSync("in", "buffer").length} files`);
const names = fs.readdirSync("out/in");
console.log(`unpacked: ${names.map((name) => `${name} with ${fs.readFileSync(`out/in/${name}`)}`).join(", ")}`);
JS

# Correct would be two files, or an error.
cat > seen.txt <<'TXT'
packed: 2 files
unpacked: p�che.txt with one
TXT
node read.js > now.txt
diff seen.txt now.txt && echo "tar 7.5.23 still unpacks two files as one:" && cat now.txt
