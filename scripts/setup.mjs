// Makes a fresh clone ready: installs the dependencies when they are missing or older than the lock file, then builds what changed.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

function newerThan(path, other) {
  return !existsSync(other) || statSync(path).mtimeMs > statSync(other).mtimeMs;
}

/** Installs and builds; ends the process with a message when either fails. */
export async function setup() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(
      `ndislab needs Node.js 20.19 or later; this is ${process.versions.node}. Get a newer one from https://nodejs.org.`,
    );
    process.exit(1);
  }
  if (newerThan(`${root}package-lock.json`, `${root}node_modules/.package-lock.json`)) {
    console.error("ndislab: installing dependencies (once; about 300 MB, most of it the C compiler) ...");
    const windows = process.platform === "win32";
    const install = spawnSync(windows ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: windows,
    });
    if (install.status !== 0) {
      console.error("ndislab: 'npm ci' failed; see its messages above, then run the same command again.");
      process.exit(1);
    }
  }
  await build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
