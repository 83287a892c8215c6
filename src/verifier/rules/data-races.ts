/**
 * Data races in C drivers: two accesses of the same memory by different threads, at least one of which writes, that nothing orders. The checks in the
 * drivers' code find them; here they are judged.
 */
import { on, ruleSet } from "../rule.ts";

export const dataRaceRules = ruleSet(
  ["data-race"],
  [
    on("note data race", ({ k, report }, { address, value: otherThread, text }) => {
      const [did = "", bytes = "", otherDid = ""] = text.split(" ");
      const what = bytes === "1" ? "1 byte" : `${bytes} bytes`;
      const verb = did === "write" ? "writes" : "reads";
      report({
        rule: "data-race",
        message: `Thread ${k.current.number} ${verb} ${what} at 0x${address.toString(16)}, and nothing orders that with the ${otherDid} of thread ${otherThread}: no lock, event or queue that both use, and no interlocked operation.`,
        race: { address, thread: otherThread, writes: otherDid === "write" },
      });
    }),
  ],
);
