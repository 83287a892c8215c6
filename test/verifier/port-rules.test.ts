import { describe } from "vitest";
import { completesSends, portFunctions } from "./port-functions.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  THIRD,
  activatePorts,
  adapter,
  allocatePort,
  allows,
  atOnce,
  breaks,
  call,
  createAdapterContext,
  deactivatePorts,
  freeAdapterContext,
  inParallel,
  isEvent,
  later,
  load,
  miniportWith,
  sendOne,
  settle,
  setGeneralAttributes,
  setRegistrationAttributes,
  started,
  stop,
  takenDown,
} from "./support.ts";

const FAILURE = 0xc000_0001;
const CONTROLS_DEFAULT_PORT = 0x80;

const miniport = (name: string, ...args: number[]) => call(MINIPORT, name, ...args);

describe("Freeing an NDIS Port", () => {
  breaks("port-default-not-freed-by-driver", "a miniport frees port 0", {
    by: MINIPORT,
    says: /NdisMFreePort was called for port 0/,
    miniport: portFunctions,
    actions: [...started, miniport("Free", 0)],
  });

  allows("port-default-not-freed-by-driver", "a miniport frees the lowest port of its own, in the middle of its life", {
    miniport: portFunctions,
    actions: [...started, miniport("Allocate"), miniport("Free", 2), ...takenDown],
  });

  breaks("port-free-deactivate-first", "an active port is freed", {
    by: MINIPORT,
    says: /NdisMFreePort was called for port 1 while it is active/,
    miniport: portFunctions,
    actions: [...started, miniport("Free", 1)],
  });

  allows("port-free-deactivate-first", "a port is freed at once when its deactivation has returned", {
    miniport: (d, its) => ({
      ...portFunctions(d, its),
      *MiniportHaltEx(context) {
        d.memory.writeU32(context + adapter.port, 0);
        yield* its.inherited("MiniportHaltEx", context);
      },
    }),
    actions: [...started, miniport("Deactivate", 1), miniport("Free", 1), ...takenDown],
  });

  breaks("port-free-before-halt-returns", "MiniportHaltEx returns and leaves a port", {
    by: MINIPORT,
    says: /MiniportHaltEx returned while port 2 is still allocated/,
    miniport: portFunctions,
    actions: [...started, miniport("Allocate"), stop],
  });

  allows("port-free-before-halt-returns", "ports are freed as the last thing that MiniportHaltEx does", {
    miniport: (d, its) => ({
      ...portFunctions(d, its),
      *MiniportHaltEx(context) {
        const handle = d.memory.readU32(context + adapter.handle);
        yield* its.inherited("MiniportHaltEx", context);
        yield* d.NdisMFreePort(handle, 2);
      },
    }),
    actions: [...started, miniport("Allocate"), ...takenDown],
  });

  /** A miniport whose initialization fails after it has allocated two ports. */
  const failsInitialize =
    (freesPorts: boolean): Change =>
    (d) => ({
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context);
        yield* setGeneralAttributes(d, handle);
        const ports = [yield* allocatePort(d, handle), yield* allocatePort(d, handle)];
        if (freesPorts) for (const port of ports) yield* d.NdisMFreePort(handle, port);
        yield* freeAdapterContext(d, context);
        return FAILURE;
      },
    });

  breaks("port-free-on-init-failure", "MiniportInitializeEx fails and leaves its ports", {
    by: MINIPORT,
    says: /MiniportInitializeEx failed while port 1 is still allocated/,
    miniport: failsInitialize(false),
    actions: started,
    ends: "failed",
  });

  allows("port-free-on-init-failure", "MiniportInitializeEx fails when it has freed its ports", {
    miniport: failsInitialize(true),
    actions: started,
    ends: "failed",
  });

  breaks(
    "port-free-on-init-failure",
    "the miniport that leaves its ports is accused, not another one that initializes meanwhile",
    {
      by: THIRD,
      says: /MiniportInitializeEx failed while port 1 is still allocated/,
      miniport: (d, its) => ({
        *MiniportInitializeEx(handle) {
          yield* d.NdisMSleep(20_000);
          return yield* its.inherited("MiniportInitializeEx", handle);
        },
      }),
      more: [miniportWith(failsInitialize(false))],
      actions: [
        load(MINIPORT),
        load(THIRD),
        inParallel({ do: "start adapter", driver: MINIPORT, adapter: 0 }),
        { do: "wait", milliseconds: 10 },
        { do: "start adapter", driver: THIRD, adapter: 1 },
      ],
      ends: "failed",
    },
  );
});

describe("Default NDIS Port", () => {
  const controlsDefaultPort =
    (deactivates: boolean): Change =>
    (d, its) => ({
      ...portFunctions(d, its),
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context, CONTROLS_DEFAULT_PORT);
        yield* setGeneralAttributes(d, handle);
        return SUCCESS;
      },
      *MiniportHaltEx(context) {
        const handle = d.memory.readU32(context + adapter.handle);
        if (deactivates) yield* deactivatePorts(d, handle, [0]);
        yield* freeAdapterContext(d, context);
      },
    });

  breaks("port-default-controlled-deactivate-before-halt-returns", "MiniportHaltEx leaves the default port active", {
    by: MINIPORT,
    says: /MiniportHaltEx returned while the default port, which the driver controls, is still active/,
    miniport: controlsDefaultPort(false),
    actions: [...started, miniport("Activate", 0), settle, stop],
  });

  allows("port-default-controlled-deactivate-before-halt-returns", "MiniportHaltEx deactivates the default port", {
    miniport: controlsDefaultPort(true),
    actions: [...started, miniport("Activate", 0), settle, call(PROTOCOL, "Exercise"), ...takenDown],
  });

  allows("port-default-controlled-deactivate-before-halt-returns", "the default port was never activated", {
    miniport: controlsDefaultPort(false),
    actions: [...started, ...takenDown],
  });

  allows(
    "port-default-controlled-deactivate-before-halt-returns",
    "NDIS controls the default port, and it is active to the end",
    {},
  );
});

describe("Allocating an NDIS Port", () => {
  const allocatesFirst = (isEarly: boolean): Change => {
    return (d) => ({
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        if (isEarly) yield* allocatePort(d, handle);
        yield* setRegistrationAttributes(d, handle, context);
        if (!isEarly) d.memory.writeU32(context + adapter.port, yield* allocatePort(d, handle));
        yield* setGeneralAttributes(d, handle);
        return SUCCESS;
      },
    });
  };

  breaks("port-alloc-after-registration-attributes", "a port is allocated before the registration attributes are set", {
    by: MINIPORT,
    says: /before NdisMSetMiniportAttributes has set the registration attributes/,
    miniport: allocatesFirst(true),
  });

  allows("port-alloc-after-registration-attributes", "a port is allocated between registration and general attributes", {
    miniport: allocatesFirst(false),
  });

  breaks("port-alloc-before-halt", "MiniportHaltEx allocates a port", {
    by: MINIPORT,
    says: /after MiniportHaltEx was called/,
    miniport: (d, its) => ({
      *MiniportHaltEx(context) {
        yield* allocatePort(d, d.memory.readU32(context + adapter.handle));
        yield* its.inherited("MiniportHaltEx", context);
      },
    }),
  });

  allows("port-alloc-before-halt", "a port is allocated while the adapter is Paused, and freed in MiniportHaltEx", {
    miniport: (d, its) => ({
      *MiniportPause(context, parameters) {
        const handle = d.memory.readU32(context + adapter.handle);
        yield* d.NdisMFreePort(handle, yield* allocatePort(d, handle));
        return yield* its.inherited("MiniportPause", context, parameters);
      },
    }),
  });
});

describe("The IRQL of allocating and freeing NDIS ports", () => {
  const allocatesAt =
    (irql: number): Change =>
    (d, its) => ({
      *AllocateAt() {
        const before = yield* d.KfRaiseIrql(irql);
        const number = yield* allocatePort(d, its.get(adapter.handle));
        yield* d.KeLowerIrql(before);
        yield* d.NdisMFreePort(its.get(adapter.handle), number);
      },
    });
  const actions = [...started, miniport("AllocateAt"), ...takenDown];

  breaks("port-irql", "a port is allocated above DISPATCH_LEVEL", {
    by: MINIPORT,
    says: /NdisMAllocatePort was called at IRQL 5/,
    miniport: allocatesAt(5),
    actions,
  });

  allows("port-irql", "a port is allocated at DISPATCH_LEVEL", { miniport: allocatesAt(2), actions });
});

describe("Activating an NDIS Port", () => {
  breaks("port-activate-all-allocated", "a list names a port that is active already", {
    by: MINIPORT,
    says: /port 1 /,
    miniport: portFunctions,
    actions: [...started, miniport("Allocate"), miniport("Activate", 2, 1)],
  });

  breaks("port-activate-all-allocated", "a list names a port that is not allocated", {
    by: MINIPORT,
    says: /port 7 /,
    miniport: portFunctions,
    actions: [...started, miniport("Allocate"), miniport("Activate", 2, 7)],
  });

  allows("port-activate-all-allocated", "a port is activated, deactivated and activated again", {
    miniport: portFunctions,
    actions: [
      ...started,
      miniport("Allocate"),
      miniport("Allocate"),
      miniport("Activate", 2, 3),
      miniport("Deactivate", 2, 3),
      miniport("Activate", 3),
      miniport("Deactivate", 3),
      miniport("Free", 3),
      miniport("Free", 2),
      ...takenDown,
    ],
  });

  allows("port-activate-all-allocated", "a protocol fails the activation event", {
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        if (isEvent(d, event, "NetEventPortActivation")) return FAILURE;
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    }),
    miniport: portFunctions,
    actions: [
      ...started,
      miniport("Allocate"),
      miniport("Activate", 2),
      miniport("Deactivate", 2),
      miniport("Free", 2),
      ...takenDown,
    ],
  });

  breaks("port-deactivate-all-active", "an array names a port that is not active", {
    by: MINIPORT,
    says: /port 2 /,
    miniport: portFunctions,
    actions: [...started, miniport("Allocate"), miniport("Deactivate", 1, 2)],
  });

  allows("port-deactivate-all-active", "all active ports are deactivated with one array", {
    miniport: portFunctions,
    actions: [
      ...started,
      miniport("Allocate"),
      miniport("Activate", 2),
      miniport("Deactivate", 2, 1),
      miniport("Activate", 1),
      miniport("Free", 2),
      ...takenDown,
    ],
  });

  breaks("port-activate-default-alone", "a list names the default port and another", {
    by: MINIPORT,
    says: /default port/,
    miniport: portFunctions,
    actions: [...started, miniport("Allocate"), miniport("Activate", 0, 2)],
  });

  breaks("port-deactivate-default-alone", "an array names the default port and another", {
    by: MINIPORT,
    says: /default port/,
    miniport: portFunctions,
    actions: [...started, miniport("Deactivate", 1, 0)],
  });

  breaks("port-deactivate-event-format", "an array is empty", {
    by: MINIPORT,
    says: /its buffer is missing/,
    miniport: portFunctions,
    actions: [...started, miniport("Deactivate")],
  });

  allows("port-deactivate-event-format", "an array of one", {
    miniport: portFunctions,
    actions: [...started, miniport("Deactivate", 1), miniport("Activate", 1), ...takenDown],
  });

  allows("port-deactivate-default-alone", "the default port is deactivated alone", {
    miniport: portFunctions,
    actions: [...started, miniport("Deactivate", 0), settle, ...takenDown],
  });

  allows("port-activate-default-alone", "the default port is deactivated and activated alone, with another port active", {
    miniport: portFunctions,
    actions: [...started, miniport("Deactivate", 0), settle, miniport("Activate", 0), settle, ...takenDown],
  });

  breaks("port-activate-event-format", "the notification has a port number of its own", {
    by: MINIPORT,
    says: /called with PortNumber 2 in the notification/,
    miniport: portFunctions,
    actions: [
      ...started,
      miniport("Allocate"),
      miniport("ActivateOf", 2, 2),
      // NDIS has carried it out: the port is active, and can be deactivated.
      miniport("Deactivate", 2),
      miniport("Free", 2),
      ...takenDown,
    ],
  });

  allows("port-activate-event-format", "the notification's port number is 0, the list has the numbers", {
    miniport: portFunctions,
    actions: [
      ...started,
      miniport("Allocate"),
      miniport("ActivateOf", 0, 2),
      miniport("Deactivate", 2),
      miniport("Free", 2),
      ...takenDown,
    ],
  });

  breaks("port-netpnp-not-in-oid", "MiniportOidRequest activates a port", {
    by: MINIPORT,
    says: /NdisMNetPnPEvent was called inside MiniportOidRequest/,
    miniport: (d, its) => ({
      *MiniportOidRequest(context, request) {
        const handle = d.memory.readU32(context + adapter.handle);
        yield* deactivatePorts(d, handle, [1]);
        yield* activatePorts(d, handle, [1]);
        return yield* its.inherited("MiniportOidRequest", context, request);
      },
    }),
  });

  allows("port-netpnp-not-in-oid", "a work item that MiniportOidRequest queued activates a port", {
    miniport: (d, its) => ({
      *MiniportOidRequest(context, request) {
        yield* later(d, "ActivateLater", context);
        return yield* its.inherited("MiniportOidRequest", context, request);
      },
      *ActivateLater(context, item) {
        const handle = d.memory.readU32(context + adapter.handle);
        yield* d.NdisFreeIoWorkItem(item);
        yield* deactivatePorts(d, handle, [1]);
        yield* activatePorts(d, handle, [1]);
      },
    }),
    actions: started,
    answers: [atOnce],
  });
});

describe("Using an NDIS Port", () => {
  breaks("recv-port-number", "a receive is indicated on a port that was deactivated", {
    by: MINIPORT,
    says: /on port 1, which is not active/,
    miniport: portFunctions,
    actions: [...started, miniport("Deactivate", 1), miniport("Indicate", 1)],
  });

  breaks("port-activate-via-event", "a receive is indicated on a port that is allocated and was never activated", {
    by: MINIPORT,
    says: /on port 2, which was never activated/,
    miniport: portFunctions,
    actions: [...started, miniport("Allocate"), miniport("Indicate", 2)],
  });

  allows("port-activate-via-event", "a receive is indicated on a port at once when its activation has returned", {
    miniport: portFunctions,
    actions: [
      ...started,
      miniport("Allocate"),
      miniport("Activate", 2),
      miniport("Indicate", 2),
      miniport("Deactivate", 2),
      miniport("Free", 2),
      ...takenDown,
    ],
  });

  allows("recv-port-number", "receives are indicated on the default port and on an active one", {
    miniport: portFunctions,
    actions: [...started, miniport("Indicate", 0), miniport("Indicate", 1), ...takenDown],
  });

  breaks("port-no-status-for-inactive", "a status is indicated for a port that was deactivated", {
    by: MINIPORT,
    says: /for port 1, which is not active/,
    miniport: portFunctions,
    actions: [...started, miniport("Deactivate", 1), miniport("IndicateStatus", 1)],
  });

  allows(
    "port-no-status-for-inactive",
    "a status is indicated for an active port, and for the adapter while the default port is inactive",
    {
      miniport: portFunctions,
      actions: [
        ...started,
        miniport("IndicateStatus", 1),
        miniport("Deactivate", 0),
        settle,
        miniport("IndicateStatus", 0),
        miniport("Activate", 0),
        settle,
        ...takenDown,
      ],
    },
  );

  const sendsOn: Change = (d, its) => ({
    *SendOn(number) {
      yield* sendOne(d, its.context(), number);
    },
  });

  breaks("send-port-active", "a protocol sends on a port that is not active", {
    by: PROTOCOL,
    says: /A send names port 2, which is not active/,
    protocol: sendsOn,
    // The right miniport would indicate the frame on the port that it was sent on.
    miniport: completesSends,
    actions: [...started, call(PROTOCOL, "SendOn", 2)],
  });

  allows("send-port-active", "a protocol sends on port 1, which is active, and on port 0", {
    protocol: sendsOn,
    actions: [...started, call(PROTOCOL, "SendOn", 1), call(PROTOCOL, "SendOn", 0), ...takenDown],
  });

  allows(
    "send-port-active",
    "a protocol sends while a deactivation event is handled: the port is active until that call returns",
    {
      protocol: (d, its) => ({
        *ProtocolNetPnPEvent(context, event) {
          if (isEvent(d, event, "NetEventPortDeactivation")) yield* sendOne(d, context, 1);
          return yield* its.inherited("ProtocolNetPnPEvent", context, event);
        },
      }),
      // The right miniport would indicate the frame on the port that is being deactivated.
      miniport: (d, its) => ({ ...portFunctions(d, its), ...completesSends(d, its) }),
      actions: [...started, miniport("Deactivate", 1), miniport("Activate", 1), ...takenDown],
    },
  );
});
