// Compiles src/ to dist/ and copies the files that the compiler does not: data tables, headers and C sources. Then keeps what
// would be generated at each start, and joins modules.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const COPIED = /\.(json|h|c)$/;

function newest(folder, time = 0) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    time = Math.max(time, entry.isDirectory() ? newest(path, time) : statSync(path).mtimeMs);
  }
  return time;
}

export async function build() {
  // Not the compiler's own record: whoever runs tsc alone copies nothing.
  const stamp = `${root}dist/.built`;
  if (existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(newest(`${root}src`), newest(`${root}scripts`))) return;
  const compile = spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-b", root], {
    stdio: ["ignore", 2, 2],
  });
  if (compile.status !== 0) {
    console.error("ndislab: the build failed; see the messages above.");
    process.exit(1);
  }
  cpSync(`${root}src`, `${root}dist`, {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || COPIED.test(path),
  });
  const { generateHeaders } = await import("../dist/contract/headers/index.js");
  writeFileSync(`${root}dist/contract/headers/kept.json`, JSON.stringify([...generateHeaders()]));
  const { bundle } = await import("./bundle.mjs");
  await bundle(`${root}dist/`);
  writeFileSync(stamp, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
