import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { findVenvPython } from "../../scripts/jupyter.js";
import { workspace } from "../workspace.js";

/** Starts the kernel of a folder by its kernel.json alone, and interrupts it by its process id, as VS Code does. */
const CLIENT = `
import json, os, signal, socket, subprocess, sys, time
from jupyter_client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

folder, workspace = sys.argv[1:]
with open(os.path.join(folder, "kernel.json")) as file:
    spec = json.load(file)
connection, ports = write_connection_file(os.path.join(workspace, "kernel-v2 1.json"), key=b"secret")
argv = [text.replace("{connection_file}", connection).replace("{resource_dir}", folder) for text in spec["argv"]]
kernel = subprocess.Popen(argv, cwd=workspace, env={**os.environ, **spec["env"]})
for port in (ports["shell_port"], ports["hb_port"]):
    while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
        time.sleep(0.2)
client = BlockingKernelClient(connection_file=connection)
client.load_connection_file()
client.start_channels()
try:
    client.wait_for_ready(timeout=300)
    info = client.kernel_info(reply=True, timeout=60)["content"]
    client.execute("await new Promise(setImmediate); console.log('runs'); await new Promise(() => {});")
    while client.get_iopub_msg(timeout=60)["content"].get("text") != "runs\\n":
        pass
    os.kill(kernel.pid, signal.SIGINT)
    reply = client.get_shell_msg(timeout=60)["content"]
    print(json.dumps({"info": info, "reply": reply}))
finally:
    client.stop_channels()
    kernel.kill()
`;

describe("VS Code's Jupyter extension", function () {
  this.timeout(600_000);
  const folder = path.join(path.dirname(path.dirname(findVenvPython())), "share/jupyter/kernels/tslab");
  const temporary = workspace("suite");

  it("finds the kernel in a search that follows no link to a folder", () => {
    assert.ok(lstatSync(folder).isDirectory());
    assert.ok(readdirSync(folder).includes("kernel.json"));
  });

  it("takes the kernel for one of TypeScript, with a connection file and without a debugger", () => {
    const spec = JSON.parse(readFileSync(path.join(folder, "kernel.json"), "utf8"));
    assert.equal(spec.language, "typescript"); // the editor's name of the language, too
    assert.ok(spec.argv.includes("{connection_file}"));
    assert.notEqual(spec.interrupt_mode, "message");
    assert.equal(spec.metadata?.debugger, undefined);
  });

  it("starts the kernel by itself and interrupts its process alone", async () => {
    const { stdout } = await promisify(execFile)(findVenvPython(), ["-c", CLIENT, folder, temporary.path], {
      env: {
        ...process.env,
        PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
        JUPYTER_PATH: "",
      },
    });
    const { info, reply } = JSON.parse(stdout);
    assert.equal(info.language_info.name, "typescript");
    assert.equal(info.language_info.file_extension, ".ts");
    assert.equal(reply.evalue, "The cell was stopped.");
  });
});
