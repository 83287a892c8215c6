/**
 * Context space of a NET_BUFFER_LIST: it grows downward in the first context, and into a new one in front when that is full.
 *
 * Pages: nf-nblapi-ndisallocatenetbufferlistcontext, nf-nblapi-ndisfreenetbufferlistcontext, ns-nbl-net_buffer_list_context.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, blockAt, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { NetBufferList } from "./chains.ts";
import { ListContext } from "./net-buffers.ts";

const POINTER_BYTES = 4;

function allocateContext(k: Kernel, listAddress: number, size: number, backFill: number, tag = 0): string {
  const wanted = size & 0xffff;
  const more = backFill & 0xffff;
  // Both sizes are multiples of a pointer's, so that the context space is aligned to one.
  if ((wanted | more) % POINTER_BYTES !== 0) return "NDIS_STATUS_FAILURE";
  const list = NetBufferList.at(k.memory, listAddress);
  if (list.Context !== 0) {
    const context = ListContext.at(k.memory, list.Context);
    if (context.Offset >= wanted) {
      context.Offset -= wanted;
      return "NDIS_STATUS_SUCCESS";
    }
  }
  const address = allocate(k, ListContext.bytes + wanted + more, tag);
  if (address === 0) return "NDIS_STATUS_RESOURCES";
  const context = ListContext.at(k.memory, address);
  context.Next = list.Context;
  context.Size = wanted + more;
  context.Offset = more;
  list.Context = address;
  return "NDIS_STATUS_SUCCESS";
}

/** A context that came with the list stays with it; one that was allocated later goes when none of it is used. */
function freeContext(k: Kernel, listAddress: number, size: number): void {
  const list = NetBufferList.at(k.memory, listAddress);
  if (list.Context === 0) return;
  const context = ListContext.at(k.memory, list.Context);
  // Undocumented: what happens when more is released than is used. All of it is.
  context.Offset = Math.min(context.Offset + (size & 0xffff), context.Size);
  if (context.Offset < context.Size || blockAt(k, context.address) === undefined) return;
  list.Context = context.Next;
  free(k, context.address);
}

export const listContextRoutines = [
  leaf("NdisAllocateNetBufferListContext", allocateContext),
  leaf("NdisFreeNetBufferListContext", freeContext),
];
