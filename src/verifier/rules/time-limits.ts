/** Driver Verifier's time limits, in the machine's own time: how long a miniport may take over what it was given. */
import type { Kernel } from "../../kernel/kernel.ts";
import { listsOf } from "../../ndis/chains.ts";
import { Adapter } from "../../ndis/objects.ts";
import { NDIS_STATUS_PENDING } from "../../ndis/stack.ts";
import { oidName, rule } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const SECOND = 1000;
const MILLISECOND = 10_000;

/** From a thread to the request that a miniport is being asked there. */
const asked = shadowTable("OID requests that a miniport is asked", 64);
/** From a request, and from a list, to the moment at which the miniport got it. */
const requestSince = shadowTable("moments of OID requests", 64);
const sendSince = shadowTable("moments of sends", 4096);
/** From an adapter's context to how many lists its miniport has, and to when one last came back, or the first came. */
const pending = shadowTable("sends that are pending", 16);
const progress = shadowTable("moments of the last completed sends", 16);

const limit = (id: string): number => (rule(id)?.timeoutSeconds ?? 0) * SECOND;
const OID_LIMIT = limit("NdisTimedOidComplete");
const SEND_LIMIT = limit("NdisTimedDataSend");
const HANG_LIMIT = limit("NdisTimedDataHang");

/** Milliseconds, from 1 on: 0 is no moment. */
const now = (k: Kernel): number => Math.floor(k.header.clock / MILLISECOND) + 1;
const seconds = (milliseconds: number): string => `${milliseconds / SECOND} s`;
const keyOf = (context: number): number => (context | 1) >>> 0;

export const timeLimitRules = ruleSet(
  ["NdisTimedOidComplete", "NdisTimedDataSend", "NdisTimedDataHang"],
  [
    on("handler MiniportOidRequest", ({ k, shadow }, { args: [, request = 0], thread }) => {
      shadow.set(asked, thread + 1, request);
      shadow.set(requestSince, request, now(k));
    }),
    on("handler return MiniportOidRequest", ({ shadow }, { result, thread }) => {
      const request = shadow.get(asked, thread + 1);
      shadow.set(asked, thread + 1, 0);
      // One that is answered at once is over, and its memory may be anything next.
      if (request !== 0 && result !== NDIS_STATUS_PENDING) shadow.set(requestSince, request, 0);
    }),
    on("call NdisMOidRequestComplete", ({ k, shadow, report }, { args }) => {
      const [, request = 0] = args;
      const since = request === 0 ? 0 : shadow.get(requestSince, request);
      if (since === 0) return;
      shadow.set(requestSince, request, 0);
      const taken = now(k) - since;
      if (taken <= OID_LIMIT) return;
      const oid = Request.at(k.memory, request).DATA_QUERY_INFORMATION_Oid >>> 0;
      report({
        rule: "NdisTimedOidComplete",
        message: `${oidName(oid) ?? `OID 0x${oid.toString(16)}`} was completed after ${seconds(taken)}. An OID request has ${seconds(OID_LIMIT)}.`,
      });
    }),
    on("handler MiniportSendNetBufferLists", ({ k, shadow }, { args }) => {
      const [context = 0, first = 0] = args;
      const lists = listsOf(k, first);
      const [key, moment] = [keyOf(context), now(k)];
      for (const list of lists) shadow.set(sendSince, list, moment);
      const before = shadow.get(pending, key);
      if (before === 0) shadow.set(progress, key, moment);
      shadow.set(pending, key, before + lists.length);
    }),
    on("call NdisMSendNetBufferListsComplete", ({ k, shadow, report }, { args }) => {
      const [handle = 0, first = 0] = args;
      const adapter = k.objects.resolve(handle, Adapter);
      if (adapter === undefined) return;
      const [key, moment] = [keyOf(adapter.context), now(k)];
      const lists = listsOf(k, first).filter((list) => shadow.get(sendSince, list) !== 0);
      const still = moment - shadow.get(progress, key);
      if (lists.length > 0 && still > HANG_LIMIT) {
        report({
          rule: "NdisTimedDataHang",
          message: `No send was completed for ${seconds(still)}, though ${shadow.get(pending, key)} lists were pending. At least one has to be in any ${seconds(HANG_LIMIT)}.`,
        });
      }
      for (const list of lists) {
        const taken = moment - shadow.get(sendSince, list);
        shadow.set(sendSince, list, 0);
        if (taken <= SEND_LIMIT) continue;
        report({
          rule: "NdisTimedDataSend",
          message: `A list was completed ${seconds(taken)} after it was sent. A send has ${seconds(SEND_LIMIT)}.`,
        });
      }
      const left = Math.max(0, shadow.get(pending, key) - lists.length);
      shadow.set(pending, key, left);
      shadow.set(progress, key, left === 0 ? 0 : moment);
    }),
    on("state adapter", ({ k, shadow }, { address, to }) => {
      if (to !== "Halted") return;
      const key = keyOf(Adapter.at(k.memory, address).context);
      shadow.set(pending, key, 0);
      shadow.set(progress, key, 0);
    }),
  ],
  [asked, requestSince, sendSince, pending, progress],
);
