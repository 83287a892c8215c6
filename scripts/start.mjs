// `npm start`: set up, then the main job. Arguments go to ndislab; without any, the examples are checked.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setup } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
await setup();
const given = process.argv.slice(2);
const run = spawnSync(process.execPath, [`${root}dist/bundle/main.js`, ...(given.length > 0 ? given : ["demo"])], {
  // Paths count from where the user is, not from where npm runs its scripts.
  cwd: process.env.INIT_CWD ?? process.cwd(),
  env: { ...process.env, NDISLAB_COMMAND: "npm start --" },
  stdio: "inherit",
});
process.exit(run.status ?? 3);
