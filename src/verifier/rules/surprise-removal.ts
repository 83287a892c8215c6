/**
 * An adapter that is gone by surprise: until it is halted, its miniport answers each OID request with NDIS_STATUS_NOT_ACCEPTED.
 *
 * Undocumented: the status of a send then. The page of the notice wants NDIS_STATUS_NOT_ACCEPTED, and that of NdisMSendNetBufferListsComplete
 * does not list it: sends are not judged.
 */
import { constant, oidName, statusName } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";
import { requestEnds } from "./oid-ends.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const Event = windowsStruct("NET_DEVICE_PNP_EVENT");
const SURPRISE_REMOVED = constant("NdisDevicePnPEventSurpriseRemoved");
const NOT_ACCEPTED = constant("NDIS_STATUS_NOT_ACCEPTED") >>> 0;

/** From an adapter's context to 1, and from a request to 1 if its adapter was gone when it came. */
const gone = shadowTable("adapters that were removed by surprise", 16);
const cameLate = shadowTable("OID requests to adapters that are gone", 64);

const keyOf = (adapterContext: number): number => (adapterContext | 1) >>> 0;

const ends = requestEnds(
  "surprise removals",
  ({ shadow }, request, adapterContext) => {
    shadow.set(cameLate, request, shadow.get(gone, keyOf(adapterContext)));
  },
  ({ k, shadow, report }, request, status, by) => {
    const isLate = shadow.get(cameLate, request) !== 0;
    shadow.set(cameLate, request, 0);
    if (!isLate || status >>> 0 === NOT_ACCEPTED) return;
    const oid = Request.at(k.memory, request).DATA_QUERY_INFORMATION_Oid >>> 0;
    const what = oidName(oid) ?? `OID 0x${oid.toString(16)}`;
    report({
      rule: "oid-surprise-removed",
      message: `${what} was completed with ${statusName(status) ?? status}, though the miniport had been told that its adapter was removed by surprise. Until it is halted it answers with NDIS_STATUS_NOT_ACCEPTED.`,
      ...by,
    });
  },
);

export const surpriseRemovalRules = ruleSet(
  ["oid-surprise-removed"],
  [
    ...ends.watchers,
    on("handler MiniportDevicePnPEventNotify", ({ k, shadow }, { args: [adapterContext = 0, event = 0] }) => {
      if (Event.at(k.memory, event).DevicePnPEvent === SURPRISE_REMOVED) shadow.set(gone, keyOf(adapterContext), 1);
    }),
    on("handler MiniportHaltEx", ({ shadow }, { args: [adapterContext = 0] }) => shadow.set(gone, keyOf(adapterContext), 0)),
  ],
  [ends.table, gone, cameLate],
);
