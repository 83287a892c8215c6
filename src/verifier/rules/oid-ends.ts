/** When MiniportOidRequest is done with a request: at its return, or at the call of NdisMOidRequestComplete. */
import { NDIS_STATUS_PENDING } from "../../ndis/stack.ts";
import { type Finding, type RuleContext, type Watcher, on } from "../rule.ts";
import { type ShadowTable, shadowTable } from "../shadow.ts";

interface Ends {
  readonly watchers: readonly Watcher[];
  readonly table: ShadowTable;
}

/** `begins` is told of each request that a miniport gets, `ends` of the status that it comes to, and whom to blame. */
export function requestEnds(
  whose: string,
  begins: (context: RuleContext, request: number, adapterContext: number) => void,
  ends: (context: RuleContext, request: number, status: number, by: Partial<Finding>) => void,
): Ends {
  /** From a thread to the request that is handled on it. */
  const handled = shadowTable(`requests in their handlers, for ${whose}`, 64);
  return {
    table: handled,
    watchers: [
      on("handler MiniportOidRequest", (context, { args: [adapterContext = 0, request = 0], thread }) => {
        context.shadow.set(handled, thread + 1, request);
        begins(context, request, adapterContext);
      }),
      on("handler return MiniportOidRequest", (context, { result, thread, returning, target }) => {
        const request = context.shadow.get(handled, thread + 1);
        context.shadow.set(handled, thread + 1, 0);
        if (request !== 0 && result !== NDIS_STATUS_PENDING) ends(context, request, result, { driver: returning, target });
      }),
      on("call NdisMOidRequestComplete", (context, { args: [, request = 0, status = 0] }) => {
        if (request !== 0 && status !== NDIS_STATUS_PENDING) ends(context, request, status, {});
      }),
    ],
  };
}
