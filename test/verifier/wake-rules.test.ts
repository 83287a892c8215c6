/** What a miniport tells when its adapter is awake again, and when it is gone. */
import { describe } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { powered, sleep, wake } from "./powered.ts";
import { type Change, MINIPORT, type Running, adapter, allows, breaks, call, settle, started, takenDown } from "./support.ts";

describe("After the wake", () => {
  function* tell(d: DriverEnvironment, handle: number, status: ConstantName, bytes = 0, buffer = 0): Running<void> {
    const given = d.local("NDIS_STATUS_INDICATION", {
      SourceHandle: handle,
      StatusCode: status,
      StatusBuffer: buffer,
      StatusBufferSize: bytes,
    });
    d.header(given.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
    yield* d.NdisMIndicateStatusEx(handle, given.address);
  }
  function* tellLink(d: DriverEnvironment, handle: number): Running<void> {
    const state = d.local("NDIS_LINK_STATE", { MediaConnectState: "MediaConnectStateDisconnected" });
    d.header(state.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_LINK_STATE_REVISION_1");
    yield* tell(d, handle, "NDIS_STATUS_LINK_STATE", 40, state.address);
  }
  const tells = (order: readonly ("link" | "reason")[]): Change =>
    powered((d, its) => ({
      *Tell() {
        const handle = its.get(adapter.handle);
        for (const what of order) {
          if (what === "link") yield* tellLink(d, handle);
          else yield* tell(d, handle, "NDIS_STATUS_PM_WAKE_REASON");
        }
      },
    }));
  const woken = [...started, sleep, wake, call(MINIPORT, "Tell"), settle, ...takenDown];
  breaks("pm-wake-reason-before-link", "the link state is indicated before the reason of the wake", {
    by: MINIPORT,
    says: /NDIS_STATUS_PM_WAKE_REASON was indicated after the link state/,
    miniport: tells(["link", "reason"]),
    actions: woken,
  });
  allows("pm-wake-reason-before-link", "the reason of the wake is indicated, and then the link state", {
    miniport: tells(["reason", "link"]),
    actions: woken,
  });

  const tellsLate =
    (isLate: boolean): Change =>
    (d, its) => {
      const kept = d.statics(4);
      return {
        *MiniportHaltEx(context, action) {
          d.memory.writeU32(kept, its.get(adapter.handle));
          if (!isLate) yield* tellLink(d, d.memory.readU32(kept));
          yield* its.inherited("MiniportHaltEx", context, action);
        },
        *MiniportDriverUnload() {
          if (isLate) yield* tellLink(d, d.memory.readU32(kept));
          yield* its.inherited("MiniportDriverUnload");
        },
      };
    };
  breaks("NdisMIndicateStatusEx", "a status is indicated after MiniportHaltEx has returned", {
    by: MINIPORT,
    says: /for an adapter whose MiniportHaltEx has returned/,
    also: ["use-after-free"],
    miniport: tellsLate(true),
    actions: [...started, ...takenDown],
  });
  allows("NdisMIndicateStatusEx", "a status is indicated inside MiniportHaltEx", {
    miniport: tellsLate(false),
    actions: [...started, ...takenDown],
  });
});
