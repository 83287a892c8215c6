import { describe } from "vitest";
import { miniportRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  adapter,
  allows,
  breaks,
  call,
  createAdapterContext,
  load,
  pause,
  restart,
  sendOne,
  setGeneralAttributes,
  setRegistrationAttributes,
  started,
  takenDown,
} from "./support.ts";

const FAILURE = 0xc000_0001;

describe("Registering a miniport driver", () => {
  breaks("mp-register-in-driverentry", "a miniport driver registers again, in the middle of its life", {
    by: MINIPORT,
    says: /NdisMRegisterMiniportDriver was called outside of DriverEntry/,
    also: ["mp-deregister-in-unload"],
    miniport: (_d, its) => ({ Register: () => its.inherited("DriverEntry", 0, 0) }),
    actions: [...started, call(MINIPORT, "Register"), ...takenDown],
  });

  allows("mp-register-in-driverentry", "a miniport driver registers in DriverEntry", {});

  const failsEntry =
    (deregisters: boolean): Change =>
    (_d, its) => ({
      *DriverEntry(object, path) {
        yield* its.inherited("DriverEntry", object, path);
        if (deregisters) yield* its.inherited("MiniportDriverUnload");
        return FAILURE;
      },
    });

  breaks("mp-deregister-on-entry-failure", "DriverEntry fails and leaves the driver registered", {
    by: MINIPORT,
    says: /DriverEntry failed after NdisMRegisterMiniportDriver had succeeded/,
    miniport: failsEntry(false),
    actions: [load(MINIPORT)],
    ends: "failed",
  });

  allows("mp-deregister-on-entry-failure", "DriverEntry fails when it has deregistered the driver", {
    miniport: failsEntry(true),
    actions: [load(MINIPORT)],
    ends: "failed",
  });

  breaks("mp-shutdown-register-required", "a miniport driver has no shutdown handler", {
    by: MINIPORT,
    says: /without ShutdownHandlerEx/,
    makeMiniport: miniportRegisteredWith(() => ({ ShutdownHandlerEx: 0 })),
    actions: [load(MINIPORT)],
    ends: "failed",
  });

  allows("mp-shutdown-register-required", "a miniport driver has no handlers of check-for-hang and reset", {});

  breaks("pnp-deviceevent-handler-required", "a miniport driver has no handler of device events", {
    by: MINIPORT,
    says: /without DevicePnPEventNotifyHandler/,
    makeMiniport: miniportRegisteredWith(() => ({ DevicePnPEventNotifyHandler: 0 })),
    actions: [load(MINIPORT)],
    ends: "failed",
  });

  allows("pnp-deviceevent-handler-required", "a miniport driver has a handler that does nothing", {});
});

describe("Setting the attributes of a miniport adapter", () => {
  breaks("mp-attributes-only-in-init", "attributes are set when the adapter runs", {
    by: MINIPORT,
    says: /an adapter that is Running/,
    miniport: (d, its) => ({ SetLate: () => setGeneralAttributes(d, its.get(adapter.handle)) }),
    actions: [...started, call(MINIPORT, "SetLate"), ...takenDown],
  });

  allows("mp-attributes-only-in-init", "attributes are set as the last thing that MiniportInitializeEx does", {
    miniport: (d, its) => ({
      *MiniportInitializeEx(handle, driver, parameters) {
        const status = yield* its.inherited("MiniportInitializeEx", handle, driver, parameters);
        yield* setGeneralAttributes(d, handle);
        return status;
      },
    }),
  });

  const inOrder =
    (isRight: boolean): Change =>
    (d) => ({
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        if (!isRight) yield* setGeneralAttributes(d, handle);
        yield* setRegistrationAttributes(d, handle, context);
        if (isRight) yield* setGeneralAttributes(d, handle);
        return SUCCESS;
      },
    });

  breaks("mp-init-registration-attributes-first", "the general attributes are set first", {
    by: MINIPORT,
    says: /before the registration attributes/,
    miniport: inOrder(false),
  });

  allows("mp-init-registration-attributes-first", "the registration attributes are set first", { miniport: inOrder(true) });
});

describe("Restarting a miniport adapter", () => {
  const completesWith =
    (status: "NDIS_STATUS_PAUSED" | "NDIS_STATUS_FAILURE"): Change =>
    (d, its) => ({
      *MiniportSendNetBufferLists(_context, lists) {
        d.view("NET_BUFFER_LIST", lists).Status = d.constant(status);
        yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
      },
    });
  const sends: Change = (d, its) => ({
    *Send() {
      yield* sendOne(d, its.context());
    },
  });

  breaks("mp-restart-ready-for-sends", "an adapter that runs completes a send as paused", {
    by: MINIPORT,
    says: /completed with NDIS_STATUS_PAUSED by an adapter that is Running/,
    protocol: sends,
    miniport: completesWith("NDIS_STATUS_PAUSED"),
    actions: [...started, call(PROTOCOL, "Send"), ...takenDown],
  });

  allows("mp-restart-ready-for-sends", "a send fails for another reason", {
    protocol: sends,
    miniport: completesWith("NDIS_STATUS_FAILURE"),
    actions: [...started, call(PROTOCOL, "Send"), ...takenDown],
  });

  breaks("mp-restart-null-attributes", "MiniportRestart adds restart attributes where there are none", {
    by: MINIPORT,
    says: /MiniportRestart has set RestartAttributes, which was NULL/,
    miniport: (d, its) => ({
      *MiniportRestart(context, parameters) {
        const given = d.view("NDIS_MINIPORT_RESTART_PARAMETERS", parameters);
        if (given.RestartAttributes === 0) given.RestartAttributes = context;
        return yield* its.inherited("MiniportRestart", context, parameters);
      },
    }),
    actions: [...started, pause, restart, ...takenDown],
  });

  allows("mp-restart-null-attributes", "MiniportRestart looks at the attributes and leaves them as they are", {
    actions: [...started, pause, restart, ...takenDown],
  });
});

describe("Stalling the processor", () => {
  const stalls: Change = (d) => ({
    *Stall(microseconds) {
      yield* d.KeStallExecutionProcessor(microseconds);
    },
  });

  breaks("mp-reset-stall-limit", "a miniport stalls for 51 microseconds", {
    by: MINIPORT,
    also: ["NdisStallExecution_Delay"],
    says: /stalls the processor for 51 microseconds/,
    miniport: stalls,
    actions: [...started, call(MINIPORT, "Stall", 51), ...takenDown],
  });

  allows("mp-reset-stall-limit", "a miniport stalls for 50 microseconds", {
    miniport: stalls,
    actions: [...started, call(MINIPORT, "Stall", 50), ...takenDown],
  });
});
