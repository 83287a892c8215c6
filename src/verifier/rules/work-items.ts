/** Rules of I/O work items and of configuration handles: who may have them, and until when. */
import type { Kernel } from "../../kernel/kernel.ts";
import { Adapter, Binding, ProtocolDriver } from "../../ndis/objects.ts";
import { Configuration, IoWorkItem } from "../../ndis/resource-objects.ts";
import type { Left } from "../left-things.ts";
import type { Thing } from "../origins.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";

type Owned = Pick<IoWorkItem, "address" | "slot" | "owner">;

const ofAdapter = <T extends Owned>(k: Kernel, all: readonly T[], adapter: Adapter): Thing[] =>
  thingsOf(all.filter(({ owner }) => k.objects.resolve(owner, Adapter)?.address === adapter.address));
const thingsOf = (all: readonly Owned[]): Thing[] => all.map(({ address }) => ({ address }));

function judgeAdapter({ k, report }: RuleContext, address: number, when: string, handler: "initialize" | "halt"): void {
  const adapter = Adapter.at(k.memory, address);
  const { miniport } = adapter;
  const of = { driver: miniport?.slot ?? -1, target: miniport?.[handler] ?? 0 };
  const items = ofAdapter(k, k.objects.all(IoWorkItem), adapter);
  if (items.length > 0) {
    const message = `${when}, and ${items.length} work item(s) that were allocated with the adapter's handle are not freed.`;
    report({ rule: "workitem-free", message, things: items, ...of });
  }
  const open = ofAdapter(k, k.objects.all(Configuration), adapter);
  if (open.length > 0) {
    const message = `${when}, and ${open.length} configuration(s) of the adapter are open.`;
    report({ rule: "config-close", message, things: open, ...of });
  }
}

/** What that driver has, of any adapter or of none. */
function judgeDriver({ k, report }: RuleContext, slot: number): void {
  const left = (all: readonly Owned[]): Left[] =>
    thingsOf(all.filter((each) => each.slot === slot)).map(({ address }) => ({ address, bytes: 0 }));
  const items = left(k.objects.all(IoWorkItem));
  const sayItems = (part: readonly Left[]): string =>
    `The driver is unloaded, and ${part.length} work item(s) of it are not freed.`;
  if (items.length > 0)
    report({ rule: "workitem-free", message: sayItems(items), driver: slot, left: { things: items, say: sayItems } });
  const open = left(k.objects.all(Configuration));
  const sayOpen = (part: readonly Left[]): string =>
    `The driver is unloaded, and ${part.length} configuration(s) of it are open.`;
  if (open.length > 0)
    report({ rule: "config-close", message: sayOpen(open), driver: slot, left: { things: open, say: sayOpen } });
}

export const workItemRules = ruleSet(
  ["workitem-not-for-protocol", "workitem-free", "config-close"],
  [
    on("call NdisAllocateIoWorkItem", ({ k, report }, { args: [handle = 0] }) => {
      const what =
        k.objects.resolve(handle, ProtocolDriver) !== undefined
          ? "a protocol driver"
          : k.objects.resolve(handle, Binding) !== undefined
            ? "a binding"
            : undefined;
      if (what === undefined) return;
      report({
        rule: "workitem-not-for-protocol",
        message: `NdisAllocateIoWorkItem was called with the handle of ${what}, which NDIS associates with no device object. Protocols allocate work items with IoAllocateWorkItem.`,
      });
    }),
    on("note initialize returned", (context, { address, value: status }) => {
      if (status !== 0) judgeAdapter(context, address, "MiniportInitializeEx failed", "initialize");
    }),
    on("note halt returned", (context, { address }) => judgeAdapter(context, address, "MiniportHaltEx returned", "halt")),
    on("note driver unloaded", (context, { address: slot }) => judgeDriver(context, slot)),
  ],
);
