/** Requests by which NDIS tells a miniport the settings that its bindings share: one has closed, or a reset has lost them. */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, done, plan, run, step } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { ADDRESS_BYTES, multicastUnion } from "./multicast.ts";
import { internalRequest } from "./oid-requests.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { combinedFilter, wordBytes } from "./shared-settings.ts";
import { adapterAt } from "./stack.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");

/** Asks the miniport to set that. The request and its buffer are one block of NDIS's memory, which stays until the miniport has answered. */
function set(
  k: Kernel,
  locals: { adapter: number; request: number },
  oid: "OID_GEN_CURRENT_PACKET_FILTER" | "OID_802_3_MULTICAST_LIST",
  data: Uint8Array,
): Next {
  locals.request = allocate(k, Request.bytes + data.length, NDIS_TAG, -1);
  writeHeader(k, locals.request, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
  const request = Request.at(k.memory, locals.request);
  request.RequestType = constant("NdisRequestSetInformation");
  request.DATA_SET_INFORMATION_Oid = constant(oid);
  request.DATA_SET_INFORMATION_InformationBuffer = locals.request + Request.bytes;
  request.DATA_SET_INFORMATION_InformationBufferLength = data.length;
  k.memory.u8.set(data, locals.request + Request.bytes);
  return run(internalRequest, [locals.adapter, locals.request]);
}

/** Tells the miniport what is other than it was told before, or everything that was set, if it lost it. */
export const tellSettings = plan(
  "tell the miniport the shared settings",
  struct("TellSettings", { adapter: u32, isLost: boolean, request: u32 }),
  [
    step("the miniport is asked for the packet filter", (k, p) => {
      const adapter = adapterAt(k, p.adapter);
      const filter = combinedFilter(k, adapter);
      if (filter === adapter.packetFilter && !p.isLost) return;
      adapter.packetFilter = filter;
      return set(k, p, "OID_GEN_CURRENT_PACKET_FILTER", wordBytes(filter));
    }),
    step("the miniport is asked for the multicast addresses", (k, p) => {
      if (p.request !== 0) free(k, p.request);
      p.request = 0;
      const adapter = adapterAt(k, p.adapter);
      const union = multicastUnion(k, adapter);
      const count = union.length / ADDRESS_BYTES;
      const isSame = p.isLost ? count === 0 : count === adapter.multicastCount;
      if (isSame) return done();
      adapter.multicastCount = count;
      return set(k, p, "OID_802_3_MULTICAST_LIST", union);
    }),
    step("the miniport has answered", (k, p) => free(k, p.request)),
  ],
);
export const toldSettingsPlans = [tellSettings];
