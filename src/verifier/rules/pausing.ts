/** Rules of a miniport adapter that pauses or is paused: what becomes of sends, and that requests are answered all the same. */
import { constant, statusName } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { listsOf, statusOf } from "../../ndis/chains.ts";
import { Adapter } from "../../ndis/objects.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";
import { isUnderWay, sendsHeldBy } from "./reset.ts";

/** From a list that was sent to a paused adapter to that adapter, until it is completed. */
const toReject = shadowTable("lists sent to paused adapters", 256);
/** From a thread to the adapter that is asked there. */
const asked = shadowTable("adapters that are asked for an OID", 64);

const PAUSED = constant("NDIS_STATUS_PAUSED") >>> 0;
/** Answers that put an OID request off on account of the adapter's state. */
const PUT_OFF: ReadonlySet<number> = new Set([PAUSED, constant("NDIS_STATUS_ADAPTER_NOT_READY") >>> 0]);
const nameOf = (status: number): string => statusName(status) ?? `0x${status.toString(16)}`;

const adapterWith = (k: Kernel, context: number): Adapter | undefined =>
  k.objects.all(Adapter).find((adapter) => adapter.context === context);

/** Whether the miniport knows that it takes no sends: while its pause handler runs, a send may have been faster. */
const takesNone = (k: Kernel, { state }: Adapter): boolean =>
  state === "Paused" || (state === "Pausing" && !isUnderWay(k, "MiniportPause"));

function judgeAnswer({ report }: RuleContext, adapter: Adapter, status: number): void {
  const { state, miniport } = adapter;
  if (!PUT_OFF.has(status >>> 0)) return;
  const isPaused = state === "Pausing" || state === "Paused";
  report({
    rule: isPaused ? "mp-pause-still-oids-status" : "mp-send-oid-states",
    message: `An OID request was answered with ${nameOf(status >>> 0)} by an adapter that is ${state}. A miniport handles requests in Running, Restarting, Pausing and Paused alike.`,
    driver: miniport?.slot ?? -1,
    target: miniport?.oidRequest ?? 0,
  });
}

export const pausingRules = ruleSet(
  ["mp-pause-completes-sends", "mp-pause-reject-new-sends", "mp-pause-still-oids-status", "mp-send-oid-states"],
  [
    on("state adapter", ({ k, report }, { address, from, to }) => {
      if (from !== "Pausing" || to !== "Paused") return;
      const adapter = Adapter.at(k.memory, address);
      const held = sendsHeldBy(k, adapter);
      if (held === 0) return;
      report({
        rule: "mp-pause-completes-sends",
        message: `The miniport completed its pause and still has ${held} list(s) that were sent. It completes them first.`,
        driver: adapter.miniport?.slot ?? -1,
        target: adapter.miniport?.pause ?? 0,
      });
    }),
    on("handler MiniportSendNetBufferLists", ({ k, shadow }, { args: [context = 0, first = 0] }) => {
      const adapter = adapterWith(k, context);
      if (adapter === undefined || !takesNone(k, adapter)) return;
      for (const list of listsOf(k, first)) shadow.set(toReject, list, adapter.address);
    }),
    on("call NdisMSendNetBufferListsComplete", ({ k, shadow, report }, { args: [, first = 0] }) => {
      for (const list of listsOf(k, first)) {
        if (shadow.get(toReject, list) === 0) continue;
        shadow.set(toReject, list, 0);
        const status = statusOf(k, list) >>> 0;
        if (status === PAUSED) continue;
        report({
          rule: "mp-pause-reject-new-sends",
          message: `A list that was sent to a paused adapter was completed with ${nameOf(status)}. It comes back with NDIS_STATUS_PAUSED.`,
        });
      }
    }),
    on("handler return MiniportSendNetBufferLists", ({ k, shadow, report }, { returning, target }) => {
      const kept = shadow
        .entries(toReject)
        .filter(([, address]) => Adapter.at(k.memory, address).miniport?.slot === returning)
        .map(([list]) => list);
      for (const list of kept) shadow.set(toReject, list, 0);
      if (kept.length === 0) return;
      report({
        rule: "mp-pause-reject-new-sends",
        message: `MiniportSendNetBufferLists of a paused adapter returned and kept ${kept.length} list(s). New sends are completed at once, with NDIS_STATUS_PAUSED.`,
        driver: returning,
        target,
      });
    }),
    on("handler MiniportOidRequest", ({ k, shadow }, { args: [context = 0], thread }) => {
      shadow.set(asked, thread + 1, adapterWith(k, context)?.address ?? 0);
    }),
    on("handler return MiniportOidRequest", (context, { result, thread }) => {
      const address = context.shadow.get(asked, thread + 1);
      context.shadow.set(asked, thread + 1, 0);
      if (address !== 0) judgeAnswer(context, Adapter.at(context.k.memory, address), result);
    }),
    on("call NdisMOidRequestComplete", (context, { args: [handle = 0, , status = 0] }) => {
      const adapter = context.k.objects.resolve(handle, Adapter);
      if (adapter !== undefined) judgeAnswer(context, adapter, status);
    }),
  ],
  [toReject, asked],
);
