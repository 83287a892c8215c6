import { describe } from "vitest";
import { type Change, MINIPORT, PROTOCOL, SUCCESS, allows, breaks, call, started, stop, takenDown, unload } from "./support.ts";

const TAG = 0x6b61_654c;

describe("Unloading a driver", () => {
  /** A driver that allocates two blocks, and frees so many of them in its unload. */
  const keepsTwoBlocks =
    (frees: number): Change =>
    (d, its) => {
      const blocks = d.statics(8);
      return {
        *Allocate() {
          for (const at of [0, 4]) d.memory.writeU32(blocks + at, yield* d.NdisAllocateMemoryWithTagPriority(0, 40, TAG, 0));
        },
        *DriverUnload() {
          yield* its.inherited("DriverUnload");
          for (const at of [0, 4].slice(0, frees)) yield* d.NdisFreeMemory(d.memory.readU32(blocks + at), 0, 0);
        },
      };
    };
  const unloaded = [stop, unload(PROTOCOL), unload(MINIPORT)];

  breaks("leak-memory", "a driver is unloaded and leaves two blocks of memory", {
    by: PROTOCOL,
    says: /2 block\(s\) with tag 'Leak' \(80 bytes\)/,
    protocol: keepsTwoBlocks(0),
    actions: [...started, call(PROTOCOL, "Allocate"), ...unloaded],
  });

  breaks("leak-memory", "a driver is unloaded and leaves one of two blocks", {
    by: PROTOCOL,
    says: /1 block\(s\) with tag 'Leak' \(40 bytes\)/,
    protocol: keepsTwoBlocks(1),
    actions: [...started, call(PROTOCOL, "Allocate"), ...unloaded],
  });

  allows("leak-memory", "a driver frees its last memory in its unload", {
    protocol: keepsTwoBlocks(2),
    actions: [...started, call(PROTOCOL, "Allocate"), ...unloaded],
  });

  allows("leak-memory", "a driver is unloaded while another one has memory", {
    protocol: keepsTwoBlocks(2),
    actions: [...started, call(PROTOCOL, "Allocate"), stop, unload(MINIPORT), unload(PROTOCOL)],
  });

  /** A driver with a work item and a timer, which it frees or leaves. */
  const hasObjects =
    (frees: boolean): Change =>
    (d, its) => {
      const handles = d.statics(8);
      const word = (index: number): number => d.memory.readU32(handles + 4 * index);
      return {
        *Allocate() {
          d.memory.writeU32(handles, yield* d.NdisAllocateIoWorkItem(0));
          const timer = d.local("NDIS_TIMER_CHARACTERISTICS", { TimerFunction: d.handler("Timer") });
          d.header(timer.address, "NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS", 1, "NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1");
          yield* d.NdisAllocateTimerObject(0, timer.address, handles + 4);
        },
        Timer() {},
        *DriverUnload() {
          yield* its.inherited("DriverUnload");
          if (!frees) return;
          yield* d.NdisFreeIoWorkItem(word(0));
          yield* d.NdisFreeTimerObject(word(1));
        },
      };
    };

  breaks("leak-handle", "a driver is unloaded and leaves a timer", {
    by: PROTOCOL,
    says: /1 timer object\(s\) of it are left/,
    also: ["workitem-free"],
    protocol: hasObjects(false),
    actions: [...started, call(PROTOCOL, "Allocate"), ...unloaded],
  });

  breaks("leak-handle", "a protocol is unloaded and leaves its registration", {
    by: PROTOCOL,
    says: /1 protocol registration\(s\) of it are left/,
    protocol: () => ({ DriverUnload: () => SUCCESS }),
    actions: [...started, ...unloaded],
  });

  allows("leak-handle", "a driver frees its work item and its timer in its unload", {
    protocol: hasObjects(true),
    actions: [...started, call(PROTOCOL, "Allocate"), ...unloaded],
  });

  breaks("mp-deregister-in-unload", "a miniport driver is unloaded and has not deregistered", {
    by: MINIPORT,
    says: /has not called NdisMDeregisterMiniportDriver in MiniportDriverUnload/,
    miniport: () => ({ MiniportDriverUnload: () => SUCCESS }),
    actions: [...started, ...unloaded],
  });

  allows("mp-deregister-in-unload", "a miniport driver deregisters in MiniportDriverUnload", {
    actions: [...started, ...takenDown],
  });
});
