/** Rules of I/O work items and of configuration handles: who may have them, and until when. */
import type { Kernel } from "../../kernel/kernel.ts";
import { Adapter, Binding, ProtocolDriver } from "../../ndis/objects.ts";
import { Configuration, IoWorkItem } from "../../ndis/resource-objects.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";

type Owned = Pick<IoWorkItem, "slot" | "owner">;

const countOf = (k: Kernel, all: readonly Owned[], adapter: Adapter): number =>
  all.filter(({ owner }) => k.objects.resolve(owner, Adapter)?.address === adapter.address).length;

function judgeAdapter({ k, report }: RuleContext, address: number, when: string, handler: "initialize" | "halt"): void {
  const adapter = Adapter.at(k.memory, address);
  const { miniport } = adapter;
  const of = { driver: miniport?.slot ?? -1, target: miniport?.[handler] ?? 0 };
  const items = countOf(k, k.objects.all(IoWorkItem), adapter);
  if (items > 0) {
    const message = `${when}, and ${items} work item(s) that were allocated with the adapter's handle are not freed.`;
    report({ rule: "workitem-free", message, ...of });
  }
  const open = countOf(k, k.objects.all(Configuration), adapter);
  if (open > 0)
    report({ rule: "config-close", message: `${when}, and ${open} configuration(s) of the adapter are open.`, ...of });
}

/** What that driver has, of any adapter or of none. */
function judgeDriver({ k, report }: RuleContext, slot: number): void {
  const left = (all: readonly Owned[]): number => all.filter((each) => each.slot === slot).length;
  const items = left(k.objects.all(IoWorkItem));
  if (items > 0)
    report({
      rule: "workitem-free",
      message: `The driver is unloaded, and ${items} work item(s) of it are not freed.`,
      driver: slot,
    });
  const open = left(k.objects.all(Configuration));
  if (open > 0)
    report({
      rule: "config-close",
      message: `The driver is unloaded, and ${open} configuration(s) of it are open.`,
      driver: slot,
    });
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
