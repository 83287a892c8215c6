import { describe } from "vitest";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  TAG,
  adapter,
  allows,
  binding,
  breaks,
  call,
  settle,
  started,
  takenDown,
} from "./support.ts";

const once = (by: number): readonly ReturnType<typeof call>[] => [call(by, "Try")];
const inProtocol = [...started, ...once(PROTOCOL), settle, ...takenDown];
const inMiniport = [...started, ...once(MINIPORT), settle, ...takenDown];

describe("Single routines", () => {
  const allocates =
    (tag: number): Change =>
    (d, its) => ({
      *Try() {
        const block = yield* d.NdisAllocateMemoryWithTagPriority(its.get(binding.handle), 16, tag, 0);
        yield* d.NdisFreeMemory(block, 0, 0);
      },
    });
  breaks("NdisAllocateMemoryWithTagPriority", "the tag is 0", {
    by: PROTOCOL,
    says: /without a tag/,
    protocol: allocates(0),
    actions: inProtocol,
  });
  allows("NdisAllocateMemoryWithTagPriority", "there is a tag", { protocol: allocates(TAG), actions: inProtocol });

  const stalls =
    (microseconds: number): Change =>
    (d) => ({
      *Try() {
        yield* d.KeStallExecutionProcessor(microseconds);
      },
    });
  breaks("NdisStallExecution_Delay", "51 microseconds", {
    by: MINIPORT,
    also: ["mp-reset-stall-limit"],
    says: /for 51 microseconds/,
    miniport: stalls(51),
    actions: inMiniport,
  });
  allows("NdisStallExecution_Delay", "50 microseconds", { miniport: stalls(50), actions: inMiniport });
});

describe("Status indications", () => {
  interface Fields {
    readonly source?: number;
    readonly destination?: number;
    readonly id?: number;
    readonly bytes?: number;
  }
  const tells =
    ({ source, destination = 0, id = 0, bytes = 40 }: Fields): Change =>
    (d, its) => ({
      *Try() {
        const state = d.local("NDIS_LINK_STATE", { MediaConnectState: "MediaConnectStateDisconnected" });
        d.header(state.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_LINK_STATE_REVISION_1");
        const given = d.local("NDIS_STATUS_INDICATION", {
          SourceHandle: source ?? its.get(adapter.handle),
          DestinationHandle: destination,
          RequestId: id,
          StatusCode: "NDIS_STATUS_LINK_STATE",
          StatusBuffer: state.address,
          StatusBufferSize: bytes,
        });
        d.header(given.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
        yield* d.NdisMIndicateStatusEx(its.get(adapter.handle), given.address);
      },
    });
  breaks("status-sourcehandle", "it is not the adapter's", {
    by: MINIPORT,
    says: /with the SourceHandle 0x00000000/,
    miniport: tells({ source: 0 }),
    actions: inMiniport,
  });
  allows("status-sourcehandle", "it is the adapter's", { miniport: tells({}), actions: inMiniport });
  breaks("status-destination-and-id-together", "there is a request id, and nobody whose it is", {
    by: MINIPORT,
    says: /with a RequestId and without a DestinationHandle/,
    miniport: tells({ id: 7 }),
    actions: inMiniport,
  });
  allows("status-destination-and-id-together", "both are of a request", {
    miniport: tells({ id: 7, destination: 16 }),
    actions: inMiniport,
  });
  breaks("status-valid-buffer", "a link state of 8 bytes", {
    by: MINIPORT,
    says: /An NDIS_LINK_STATE has at least 40/,
    miniport: tells({ bytes: 8 }),
    actions: inMiniport,
  });
  allows("status-valid-buffer", "a whole link state", { miniport: tells({}), actions: inMiniport });
});
