/** The packet filter that the bindings of an adapter need together, and the request by which NDIS tells the miniport. */
import { constant } from "../contract/index.ts";
import { done, plan, run, step } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { combinedFilter, internalRequest } from "./oid-requests.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { adapterAt } from "./stack.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");

/** Tells the miniport the combined filter, if it has another one now or lost it. The request and its buffer are one block of NDIS's memory. */
export const requestPacketFilter = plan(
  "tell the miniport the packet filter",
  struct("PacketFilter", { adapter: u32, isLost: boolean, request: u32 }),
  [
    step("the miniport is asked", (k, p) => {
      const adapter = adapterAt(k, p.adapter);
      const filter = combinedFilter(k, adapter);
      if (filter === adapter.packetFilter && !p.isLost) return done();
      adapter.packetFilter = filter;
      p.request = allocate(k, Request.bytes + 8, NDIS_TAG, -1);
      writeHeader(k, p.request, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      const request = Request.at(k.memory, p.request);
      request.RequestType = constant("NdisRequestSetInformation");
      request.DATA_SET_INFORMATION_Oid = constant("OID_GEN_CURRENT_PACKET_FILTER");
      request.DATA_SET_INFORMATION_InformationBuffer = p.request + Request.bytes;
      request.DATA_SET_INFORMATION_InformationBufferLength = 4;
      k.memory.writeU32(p.request + Request.bytes, filter);
      return run(internalRequest, [p.adapter, p.request]);
    }),
    step("the miniport has answered", (k, p, status) => {
      free(k, p.request);
      return done(status);
    }),
  ],
);
export const packetFilterPlans = [requestPacketFilter];
