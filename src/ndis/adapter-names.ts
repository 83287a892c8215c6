/**
 * The friendly name of an adapter, for its miniport, for a protocol that is bound to it, and for one that is about to be.
 *
 * Pages: nf-ndis-ndismqueryadapterinstancename, nf-ndis-ndisqueryadapterinstancename, nf-ndis-ndisquerybindinstancename.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { allocate } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { setCountedString, writeUtf16 } from "../kernel/strings.ts";
import { type Adapter, BindOperation } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { adapterOf, bindingOf } from "./stack.ts";

/** The memory of the text is the caller's, who frees it. */
function giveName(k: Kernel, string: number, adapter: Adapter | undefined): string {
  // Undocumented: the status for a handle that is no adapter's.
  if (adapter === undefined) return "NDIS_STATUS_FAILURE";
  const text = `ndislab adapter ${adapter.index + 1}`;
  const bytes = text.length * 2 + 2;
  const buffer = allocate(k, bytes, NDIS_TAG);
  if (buffer === 0) return "NDIS_STATUS_RESOURCES";
  setCountedString(k.memory, string, buffer, writeUtf16(k.memory, buffer, text), bytes);
  return "NDIS_STATUS_SUCCESS";
}

export const adapterNameRoutines = [
  leaf("NdisMQueryAdapterInstanceName", (k, string, handle) => giveName(k, string, adapterOf(k, handle))),
  leaf("NdisQueryAdapterInstanceName", (k, string, handle) => giveName(k, string, bindingOf(k, handle)?.adapter)),
  leaf("NdisQueryBindInstanceName", (k, string, context) => {
    const operation = k.objects.resolve(context, BindOperation);
    if (operation === undefined)
      k.note("bad handle", context, 0, `${k.objects.stateOf(context, BindOperation)}: a BindContext was expected`);
    return giveName(k, string, operation?.binding?.adapter);
  }),
];
