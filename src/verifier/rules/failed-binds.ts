/** What a protocol allocated in a bind, above all in one that failed. A block that is left is told of when the driver is unloaded: until then it may have an owner. */
import { isUnderTest } from "../../kernel/state.ts";
import { Binding } from "../../ndis/objects.ts";
import { reachText } from "../leak-words.ts";
import { type Left, memoryLeft } from "../left-things.ts";
import { on, ruleSet } from "../rule.ts";
import { type Shadow, shadowTable } from "../shadow.ts";
import { isInside } from "./binding.ts";

const ROWS = 512;
/** From a block to the binding in whose bind it was allocated; to FAILED when that bind has failed, to GONE when the binding is gone. */
const allocatedIn = shadowTable("blocks that were allocated in binds", ROWS);
const FAILED = 1;
const GONE = 2;

/** Whether the block is left from a bind that failed. */
export const isLeftByFailedBind = (shadow: Shadow, block: number): boolean => shadow.get(allocatedIn, block) === FAILED;

function markBlocks(shadow: Shadow, binding: number, as: typeof FAILED | typeof GONE): void {
  for (const [block, of] of shadow.entries(allocatedIn)) {
    if (of === binding) shadow.set(allocatedIn, block, as);
  }
}

/** Whether the block is left from a bind that succeeded, of a binding that is gone. */
export const isLeftByBinding = (shadow: Shadow, block: number): boolean => shadow.get(allocatedIn, block) === GONE;

export const failedBindRules = ruleSet(
  ["bind-fail-free-resources"],
  [
    on("note allocate", ({ k, shadow }, { address, driver }) => {
      if (!isUnderTest(k.header, driver)) return;
      const binding = k.objects.all(Binding).find(({ state, protocol }) => state === "Opening" && protocol?.slot === driver);
      if (binding === undefined || !isInside(k, ["ProtocolBindAdapterEx"])) return;
      // A bind that allocates more than can be remembered is judged by the first blocks.
      if (shadow.entries(allocatedIn).length < ROWS - 1) shadow.set(allocatedIn, address, binding.address);
    }),
    on("note free", ({ shadow }, { address }) => shadow.set(allocatedIn, address, 0)),
    on("note bind complete", ({ shadow }, { address, value: status }) => {
      if (status !== 0) markBlocks(shadow, address, FAILED);
    }),
    on("note binding gone", ({ shadow }, { address }) => markBlocks(shadow, address, GONE)),
    on("note driver unloaded", ({ k, shadow, report }, { address: slot }) => {
      if (!isUnderTest(k.header, slot)) return;
      const things = memoryLeft(k, slot, (address) => !isLeftByFailedBind(shadow, address));
      const say = (part: readonly Left[]): string => {
        const bytes = part.reduce((sum, each) => sum + each.bytes, 0);
        const where = `at 0x${(part[0]?.address ?? 0).toString(16)}${part.length > 1 ? ` and ${part.length - 1} other place(s)` : ""}`;
        return `The driver is unloaded, and ${bytes} bytes ${where} that it allocated in a ProtocolBindAdapterEx which failed are not freed. A bind that fails releases everything first.${reachText(part)}`;
      };
      if (things.length > 0)
        report({ rule: "bind-fail-free-resources", message: say(things), driver: slot, left: { things, say } });
    }),
  ],
  [allocatedIn],
);
