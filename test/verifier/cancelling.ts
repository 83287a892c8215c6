/** Sends that carry a cancel id. */
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { type Running, TAG, binding } from "./support.ts";

/** A cancel id with the high byte that NDIS gives. */
export function* newCancelId(d: DriverEnvironment, low: number): Running<number> {
  return ((((yield* d.NdisGeneratePartialCancelId()) << 24) >>> 0) + low) >>> 0;
}

export const cancelIdSlot = (d: DriverEnvironment, list: number): number =>
  d.addressOf("NET_BUFFER_LIST", list, "NetBufferListInfo") + d.constant("NetBufferListCancelId") * 4;

/** Sends one frame that may be cancelled by that id. Returns the list. */
export function* sendCancellable(d: DriverEnvironment, context: number, id: number): Running<number> {
  const handle = d.memory.readU32(context + binding.handle);
  const data = yield* d.NdisAllocateMemoryWithTagPriority(handle, 64, TAG, 0);
  const mdl = yield* d.NdisAllocateMdl(handle, data, 64);
  const list = yield* d.NdisAllocateNetBufferAndNetBufferList(d.memory.readU32(context + binding.pool), 0, 0, mdl, 0, 64);
  d.view("NET_BUFFER_LIST", list).SourceHandle = handle;
  d.memory.writeU32(cancelIdSlot(d, list), id);
  d.memory.writeU32(context + binding.sends, d.memory.readU32(context + binding.sends) + 1);
  yield* d.NdisSendNetBufferLists(handle, list, 0, 0);
  return list;
}
