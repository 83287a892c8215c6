/** Rules of calls and answers around the power of an adapter, and of a status that comes when the adapter is gone. */
import { constant, statusName } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Adapter } from "../../ndis/objects.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const Request = windowsStruct("NDIS_OID_REQUEST");
const QUERY_POWER = constant("OID_PNP_QUERY_POWER") >>> 0;
const PENDING = constant("NDIS_STATUS_PENDING");
const LINK_STATE = constant("NDIS_STATUS_LINK_STATE") >>> 0;
const WAKE_REASON = constant("NDIS_STATUS_PM_WAKE_REASON") >>> 0;

/** From a thread to the request that its MiniportOidRequest handles. */
const handled = shadowTable("requests that may ask about power", 64);
/** From an adapter's handle to ASLEEP since it has slept, and to LINK_TOLD when its link state was indicated after that. */
const since = shadowTable("what was indicated since an adapter slept", 16);
const ASLEEP = 1;
const LINK_TOLD = 2;

function judgeQuery({ k, report }: RuleContext, address: number, status: number, by: { driver?: number; target?: number }): void {
  if (status === 0 || status === PENDING) return;
  if (Request.at(k.memory, address).DATA_QUERY_INFORMATION_Oid >>> 0 !== QUERY_POWER) return;
  report({
    rule: "pm-query-power-succeed",
    message: `The miniport ended OID_PNP_QUERY_POWER with ${statusName(status) ?? `0x${(status >>> 0).toString(16)}`}. It always succeeds.`,
    ...by,
  });
}

/** Calls of NdisMIndicateReceiveNetBufferLists by the driver that have not returned, on any thread. */
function indicating(k: Kernel, slot: number): number {
  return k.threads.filter(({ state, depth, address }) => {
    const thread = k.thread(address);
    let caller = -1;
    for (let index = 0; state === "Live" && index < depth; index += 1) {
      const frame = k.frame(thread, index);
      if (frame.kind === "Code") caller = k.driverOf(frame.code);
      else if (frame.kind === "Plan" && caller === slot && k.planOf(frame).name === "NdisMIndicateReceiveNetBufferLists")
        return true;
    }
    return false;
  }).length;
}

export const powerCallRules = ruleSet(
  ["pm-query-power-succeed", "pm-set-low-power-wait-indicate-calls", "pm-wake-reason-before-link", "NdisMIndicateStatusEx"],
  [
    on("handler MiniportOidRequest", ({ shadow }, { args: [, request = 0], thread }) => {
      shadow.set(handled, thread + 1, request);
    }),
    on("handler return MiniportOidRequest", (context, { result, thread, returning, target }) => {
      const request = context.shadow.get(handled, thread + 1);
      context.shadow.set(handled, thread + 1, 0);
      if (request !== 0) judgeQuery(context, request, result, { driver: returning, target });
    }),
    on("call NdisMOidRequestComplete", (context, { args: [, request = 0, status = 0] }) => {
      if (request !== 0) judgeQuery(context, request, status, {});
    }),
    on("note power set", ({ k, shadow, report }, { address, text }) => {
      if (text !== "asleep") return;
      const adapter = Adapter.at(k.memory, address);
      shadow.set(since, k.objects.handleOf(adapter), ASLEEP);
      const { miniport } = adapter;
      const calls = miniport === undefined ? 0 : indicating(k, miniport.slot);
      if (miniport === undefined || calls === 0) return;
      report({
        rule: "pm-set-low-power-wait-indicate-calls",
        message: `The miniport has taken its adapter to sleep while ${calls} call(s) of NdisMIndicateReceiveNetBufferLists have not returned. It waits for them first.`,
        driver: miniport.slot,
        target: miniport.oidRequest,
      });
    }),
    on("call NdisMIndicateStatusEx", ({ k, shadow, report }, { args: [handle = 0, address = 0] }) => {
      if (k.objects.resolve(handle, Adapter) === undefined) {
        if (k.objects.stateOf(handle, Adapter) !== "stale") return;
        report({
          rule: "NdisMIndicateStatusEx",
          message: "NdisMIndicateStatusEx was called for an adapter whose MiniportHaltEx has returned.",
        });
        return;
      }
      const told = shadow.get(since, handle);
      if (told === 0) return;
      const status = Indication.at(k.memory, address).StatusCode >>> 0;
      if (status === LINK_STATE) shadow.set(since, handle, LINK_TOLD);
      if (status !== WAKE_REASON || told !== LINK_TOLD) return;
      report({
        rule: "pm-wake-reason-before-link",
        message:
          "NDIS_STATUS_PM_WAKE_REASON was indicated after the link state. A miniport tells what woke its adapter before it tells of the link.",
      });
    }),
    on("note halt returned", ({ k, shadow }, { address }) => {
      shadow.set(since, k.objects.handleOf(Adapter.at(k.memory, address)), 0);
    }),
  ],
  [handled, since],
);
