import { describe } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import { MINIPORT, PROTOCOL, type Situation, allows, breaks, settle, started, takenDown } from "./support.ts";

/** A miniport that answers so when its adapter is gone; the protocol clears its packet filter when it is unbound. */
const removed = (answer: ConstantName): Situation => ({
  miniport: (d, its) => {
    const isGone = d.statics(4);
    return {
      MiniportDevicePnPEventNotify: () => d.memory.writeU32(isGone, 1),
      *MiniportOidRequest(context, request) {
        if (d.memory.readU32(isGone) === 0) return yield* its.inherited("MiniportOidRequest", context, request);
        return answer;
      },
    };
  },
  actions: [
    ...started,
    { do: "device event", adapter: 0, event: "surprise removed" },
    { do: "unbind", adapter: 0, driver: PROTOCOL },
    settle,
    ...takenDown,
  ],
});

describe("An OID request to an adapter that was removed by surprise", () => {
  breaks("oid-surprise-removed", "is answered as if the adapter were there", {
    ...removed("NDIS_STATUS_SUCCESS"),
    by: MINIPORT,
    says: /OID_GEN_CURRENT_PACKET_FILTER was completed with NDIS_STATUS_SUCCESS, though the miniport had been told/,
  });
  allows("oid-surprise-removed", "is not accepted", removed("NDIS_STATUS_NOT_ACCEPTED"));
});
