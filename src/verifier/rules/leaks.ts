/** What a driver still has when it is unloaded. */
import { isUnderTest } from "../../kernel/state.ts";
import { MiniportDriver, ProtocolDriver } from "../../ndis/objects.ts";
import { memoryText, reachText } from "../leak-words.ts";
import { KINDS, type Left, memoryLeft, withReach } from "../left-things.ts";
import { reachOf } from "../reachability.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";
import { type Shadow } from "../shadow.ts";
import { isLeftByAdapter, isLeftByHaltedAdapter } from "./adapter-resources.ts";
import { isLeftByBinding, isLeftByFailedBind } from "./failed-binds.ts";

/** What the driver's memory was made for, if that is gone. */
function remarkOn(shadow: Shadow, left: readonly Left[]): string {
  const ofBindings = left.filter(({ address }) => isLeftByBinding(shadow, address)).length;
  const ofAdapters = left.filter(({ address }) => isLeftByHaltedAdapter(shadow, address)).length;
  return [
    ofBindings === 0 ? "" : ` ${ofBindings} of them it allocated in binds of bindings that are gone.`,
    ofAdapters === 0 ? "" : ` ${ofAdapters} of them it allocated in MiniportInitializeEx of adapters that are halted.`,
  ].join("");
}

function judgeMemory({ k, shadow, report }: RuleContext, slot: number): void {
  const things = memoryLeft(k, slot, (address) => isLeftByFailedBind(shadow, address) || isLeftByAdapter(shadow, address));
  if (things.length === 0) return;
  const say = (part: readonly Left[], routine?: string): string => memoryText(part, routine, remarkOn(shadow, part));
  report({ rule: "leak-memory", message: say(things), driver: slot, left: { things, say } });
}

function judgeObjects({ k, report }: RuleContext, slot: number, isRefused: boolean): void {
  // After a DriverEntry that failed, the rules of protocol and miniport drivers tell of registrations.
  const registrations = new Set(isRefused ? k.objects.all(ProtocolDriver).map(({ address }) => address) : []);
  for (const { what, undo, left } of KINDS) {
    const found = left(k, slot).filter(({ address }) => !registrations.has(address));
    if (found.length === 0) continue;
    const reach = reachOf(k, found);
    const things = found.map((each) => withReach(each, reach));
    const how = undo === "" ? "" : ` What should have been called: ${undo}.`;
    const say = (part: readonly Left[]): string =>
      `The driver is unloaded, and ${part.length} ${what}.${how}${reachText(part.filter(({ handle }) => handle !== undefined))}`;
    report({ rule: "leak-handle", message: say(things), driver: slot, left: { things, say } });
  }
}

export const leakRules = ruleSet(
  ["leak-memory", "leak-handle", "mp-deregister-in-unload"],
  [
    on("note locked MDL freed", ({ report }, { address }) => {
      report({
        rule: "leak-memory",
        message: `The MDL at 0x${address.toString(16)} was freed while its pages are locked; MmUnlockPages has to come first.`,
        things: [{ address, name: "the MDL" }],
      });
    }),
    on("note driver unloaded", (context, { address: slot, value: refusal }) => {
      // What a counterpart leaves is nobody's mistake, and a long search.
      if (!isUnderTest(context.k.header, slot)) return;
      judgeMemory(context, slot);
      judgeObjects(context, slot, refusal !== 0);
      const { k, report } = context;
      if (refusal !== 0 || !k.objects.all(MiniportDriver).some((miniport) => miniport.slot === slot)) return;
      report({
        rule: "mp-deregister-in-unload",
        message: "The driver is unloaded, and has not called NdisMDeregisterMiniportDriver in MiniportDriverUnload.",
        driver: slot,
      });
    }),
  ],
);
