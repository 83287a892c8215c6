/**
 * Data races in C drivers: two accesses of the same memory by different threads, at least one of which writes, that nothing orders. The checks in the
 * drivers' code find them; races.ts judges how bad each is, once both accesses are known.
 */
import type { Race } from "../../cdriver/checks/host.ts";
import { on, ruleSet } from "../rule.ts";

export const dataRaceRules = ruleSet(
  ["data-race"],
  [
    on("note data race", ({ report }, { text }) => {
      const race = JSON.parse(text) as Race;
      const { address, bytes, writes, thread } = race.access;
      const what = `${bytes === 1 ? "1 byte" : `${bytes} bytes`} at 0x${address.toString(16)}`;
      report({
        rule: "data-race",
        message: `Thread ${thread} ${writes ? "writes" : "reads"} ${what}, and nothing orders that with the ${race.otherWrites ? "write" : "read"} of thread ${race.otherThread}: no lock, event or queue that both use, and no interlocked operation.`,
        race,
      });
    }),
  ],
);
