// Joins the compiled modules of what is started often into a few files: to load hundreds takes longer than most commands.
import { readFileSync, rmSync } from "node:fs";
import { posix, relative, sep } from "node:path";
import { build } from "esbuild";

/** Joined module by the path of the one that it begins with. */
const ENTRIES = new Map([
  ["cli/main.js", "main"],
  ["index.js", "index"],
  ["verifier/scenario-worker.js", "scenario-worker"],
]);

/** A module finds its neighbours on disk from where it was, and an entry as the joined module: there is one library. */
function withHome(path, text) {
  return text.replaceAll(/(?:new URL\("([^"]+)", )?import\.meta\.url/g, (_, target) => {
    const entry = target && ENTRIES.get(posix.join(posix.dirname(path), target));
    if (entry !== undefined) return `new URL("./${entry}.js", import.meta.url`;
    return `${target === undefined ? "" : `new URL("${target}", `}new URL("../${path}", import.meta.url).href`;
  });
}

export async function bundle(dist) {
  rmSync(`${dist}bundle`, { recursive: true, force: true });
  await build({
    entryPoints: [...ENTRIES].map(([path, name]) => ({ in: dist + path, out: name })),
    outdir: `${dist}bundle`,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "warning",
    plugins: [
      {
        name: "home",
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.js$/ }, ({ path }) => ({
            contents: withHome(relative(dist, path).replaceAll(sep, "/"), readFileSync(path, "utf8")),
          })),
      },
    ],
  });
}
