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

describe("Timers", () => {
  /** Sets a timer of the miniport that is due in an hour. */
  const timing = (change: { period: number; isHigh: boolean; cancelsInHalt: boolean }): Change => {
    return (d, its) => {
      const [timer, due] = [d.statics(4), d.statics(8)];
      const handle = (): number => d.memory.readU32(timer);
      return {
        Timer() {},
        *Try() {
          const given = d.local("NDIS_TIMER_CHARACTERISTICS", { TimerFunction: d.handler("Timer") });
          d.header(given.address, "NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS", 1, "NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1");
          yield* d.NdisAllocateTimerObject(its.get(adapter.handle), given.address, timer);
          d.memory.data.setBigInt64(due, -36_000_000_000n, true);
          yield* d.NdisSetTimerObject(handle(), due, change.period, 0);
          if (!change.cancelsInHalt) return;
          if (change.isHigh) yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
          yield* d.NdisCancelTimerObject(handle());
          if (change.isHigh) yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
        },
        *MiniportDriverUnload() {
          yield* d.NdisFreeTimerObject(handle());
          yield* its.inherited("MiniportDriverUnload");
        },
      };
    };
  };

  breaks("PeriodicTimer", "a timer with a period is cancelled at DISPATCH_LEVEL", {
    by: MINIPORT,
    says: /above PASSIVE_LEVEL for a timer that was set with a period/,
    miniport: timing({ period: 5000, isHigh: true, cancelsInHalt: true }),
    actions: inMiniport,
  });
  allows("PeriodicTimer", "a timer without one is cancelled at DISPATCH_LEVEL", {
    miniport: timing({ period: 0, isHigh: true, cancelsInHalt: true }),
    actions: inMiniport,
  });
  breaks("CancelTimerObject", "the halt leaves a timer set", {
    by: MINIPORT,
    says: /MiniportHaltEx returned, and 1 timer\(s\) of the driver are set/,
    miniport: timing({ period: 0, isHigh: false, cancelsInHalt: false }),
    actions: inMiniport,
  });
  allows("CancelTimerObject", "the timer is cancelled before the halt, and still there", {
    miniport: timing({ period: 5000, isHigh: false, cancelsInHalt: true }),
    actions: inMiniport,
  });
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
