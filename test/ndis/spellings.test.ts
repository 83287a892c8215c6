/** The names and macros of the headers, as C drivers spell them, arrive at the library's routines. */
import { expect, test } from "vitest";
import { run } from "../../src/verifier/run.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import { buildAll } from "../machine/support.ts";

test("a C driver uses lists, data, contexts, clones and small services, and leaves nothing behind", async () => {
  const [driver] = await buildAll(["test/ndis/drivers/spellings.c"]);
  const [atOnce] = commonVariants;
  if (driver === undefined || atOnce === undefined) throw new Error("nothing was built");
  const { outcome, findings } = run({
    drivers: [driver],
    scenario: {
      name: "spellings",
      summary: "",
      actions: [
        { do: "load", driver: 0 },
        { do: "unload", driver: 0 },
      ],
    },
    strategy: (seen) => strategyOf(atOnce, seen),
    records: false,
  });
  expect(findings.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
  expect(outcome).toEqual({ kind: "finished" });
});
