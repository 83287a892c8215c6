import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Set by `npm run mutants`: one place of one source is changed, and a test has to notice. */
const mutant = process.env["NDISLAB_MUTANT"];

function changing({ file, find, replace }: { file: string; find: string; replace: string }) {
  return {
    name: "mutant",
    enforce: "pre" as const,
    transform(code: string, id: string) {
      return id.endsWith(`/${file}`) ? code.replace(find, () => replace) : undefined;
    },
  };
}

export default defineConfig({
  plugins: mutant === undefined ? [] : [changing(JSON.parse(mutant))],
  resolve: { alias: { ndislab: fileURLToPath(new URL("src/index.ts", import.meta.url)) } },
  test: { include: ["test/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000, pool: "forks" },
});
