/** Protocols as drivers: how they register, answer network PnP events, and bind again. */
import { describe } from "vitest";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import type { ConstantName } from "../../src/contract/index.ts";
import type { Action } from "../../src/machine/actions.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { protocolRegisteredWith } from "./registration.ts";
import {
  type Breach,
  type Change,
  type Make,
  PENDING,
  PROTOCOL,
  allows,
  breaks,
  invoke,
  isEvent,
  settle,
  started,
  takenDown,
  unbind,
} from "./support.ts";

const refused: readonly Action[] = [{ do: "load", driver: PROTOCOL, mayFail: true }, settle];
const RESOURCES = 0xc000_009a;
const life = [...started, ...takenDown];

describe("Registration", () => {
  const registeredWithout = (handler: string): Breach => ({
    by: PROTOCOL,
    says: new RegExp(`registers without ${handler}`),
    makeProtocol: protocolRegisteredWith(() => ({ [handler]: 0 })),
    actions: refused,
  });
  breaks("protocol-mandatory-handlers", "without a bind handler", registeredWithout("BindAdapterHandlerEx"));
  breaks("oid-protocol-complete-required", "without its handler", registeredWithout("OidRequestCompleteHandler"));
  breaks("status-protocol-handler-required", "without its handler", registeredWithout("StatusHandlerEx"));

  allows("protocol-mandatory-handlers", "without any handler that is optional", { actions: life });
  allows("oid-protocol-complete-required", "without a handler for direct requests", { actions: life });
  allows("status-protocol-handler-required", "without ProtocolUninstall", { actions: life });

  breaks("protocol-driverentry-synchronous", "DriverEntry returns NDIS_STATUS_PENDING", {
    by: PROTOCOL,
    says: /DriverEntry returned NDIS_STATUS_PENDING/,
    protocol: (_d, its) => ({
      *DriverEntry(object) {
        yield* its.inherited("DriverEntry", object);
        return PENDING;
      },
    }),
    actions: life,
  });

  allows("protocol-driverentry-synchronous", "DriverEntry succeeds at once", { actions: life });

  breaks("protocol-deregister-on-entry-error", "DriverEntry fails, and its protocol is registered", {
    by: PROTOCOL,
    says: /DriverEntry failed with 0xc000009a/,
    protocol: (_d, its) => ({
      *DriverEntry(object) {
        yield* its.inherited("DriverEntry", object);
        return RESOURCES;
      },
    }),
    actions: refused,
  });

  allows("protocol-deregister-on-entry-error", "DriverEntry deregisters its protocol, and fails", {
    protocol: (_d, its) => ({
      *DriverEntry(object) {
        yield* its.inherited("DriverEntry", object);
        yield* its.inherited("DriverUnload", object);
        return RESOURCES;
      },
    }),
    actions: refused,
  });
});

/** A protocol that handles one event, and answers so. */
const answers =
  (event: ConstantName, status: ConstantName): Change =>
  (d, its) => ({
    *ProtocolNetPnPEvent(context, notification) {
      const answer = yield* its.inherited("ProtocolNetPnPEvent", context, notification);
      return isEvent(d, notification, event) ? status : answer;
    },
  });

describe("Network PnP events", () => {
  breaks("binding-restart-should-succeed", "a restart is failed", {
    by: PROTOCOL,
    says: /NetEventRestart was completed with 0xc0000001/,
    protocol: answers("NetEventRestart", "NDIS_STATUS_FAILURE"),
    actions: life,
  });
  allows("binding-restart-should-succeed", "a restart succeeds", { actions: life });

  breaks("pnp-event-always-succeed", "NetEventBindsComplete is failed", {
    by: PROTOCOL,
    says: /NetEventBindsComplete was completed with 0xc0000001/,
    protocol: answers("NetEventBindsComplete", "NDIS_STATUS_FAILURE"),
    actions: life,
  });
  allows("pnp-event-always-succeed", "a bind list that is completed later, with success", {
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, notification) {
        if (!isEvent(d, notification, "NetEventBindList"))
          return yield* its.inherited("ProtocolNetPnPEvent", context, notification);
        yield* d.NdisCompleteNetPnPEvent(0, notification, 0);
        return PENDING;
      },
    }),
    actions: [...started, { do: "announce bind list" }, settle, ...takenDown],
  });
  breaks("pnp-event-not-supported", "an event is answered with NDIS_STATUS_NOT_SUPPORTED", {
    by: PROTOCOL,
    says: /NetEventBindList was answered with NDIS_STATUS_NOT_SUPPORTED/,
    protocol: answers("NetEventBindList", "NDIS_STATUS_NOT_SUPPORTED"),
    actions: [...started, { do: "announce bind list" }, settle, ...takenDown],
  });
  allows("pnp-event-not-supported", "an event that the protocol does not know is answered with NDIS_STATUS_SUCCESS", {
    actions: [...started, { do: "announce bind list" }, settle, ...takenDown],
  });

  breaks("pnp-event-pending-complete", "an event for the whole driver is completed and answered", {
    by: PROTOCOL,
    says: /ProtocolNetPnPEvent called NdisCompleteNetPnPEvent and then did not return NDIS_STATUS_PENDING/,
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, notification) {
        if (isEvent(d, notification, "NetEventBindList")) yield* d.NdisCompleteNetPnPEvent(0, notification, 0);
        return yield* its.inherited("ProtocolNetPnPEvent", context, notification);
      },
    }),
    actions: [...started, { do: "announce bind list" }, settle, ...takenDown],
  });

  breaks("pnp-event-pending-complete", "an event for the whole driver is never completed", {
    by: PROTOCOL,
    says: /NdisCompleteNetPnPEvent was never called/,
    protocol: answers("NetEventBindList", "NDIS_STATUS_PENDING"),
    actions: [...started, { do: "announce bind list" }],
    ends: "hung",
  });
});

/** The right protocol with handlers that know the handle of its registration. */
const knowing =
  (change: (d: DriverEnvironment, handle: () => number, right: ReturnType<Make>) => ReturnType<Make>): Make =>
  (d) => {
    const variable = d.statics(4);
    const seen = new Proxy(d, {
      get: (target, name) =>
        name === "NdisRegisterProtocolDriver"
          ? (context: number, characteristics: number, handleVariable: number) => {
              d.memory.writeU32(variable, handleVariable);
              return target.NdisRegisterProtocolDriver(context, characteristics, handleVariable);
            }
          : Reflect.get(target, name),
    });
    const right = pendingProtocol(seen, true);
    return { ...right, ...change(d, () => d.memory.readU32(d.memory.readU32(variable)), right) };
  };

describe("Binding again", () => {
  const reEnumeratesIn = (handler: string): Make =>
    knowing((d, handle, right) => ({
      *[handler](...args: number[]) {
        yield* d.NdisReEnumerateProtocolBindings(handle());
        return yield* invoke(d, right, handler, ...args);
      },
    }));
  const rebinds = [...started, unbind, settle, ...takenDown];

  for (const handler of ["ProtocolBindAdapterEx", "ProtocolUnbindAdapterEx"]) {
    breaks("reenumerate-not-in-bind-unbind", `is asked for inside ${handler}`, {
      by: PROTOCOL,
      also: ["NdisReEnumerateProtocolBindings"],
      says: /inside ProtocolBindAdapterEx or ProtocolUnbindAdapterEx/,
      makeProtocol: reEnumeratesIn(handler),
      actions: rebinds,
    });
  }

  const reEnumeratesOn = (event: ConstantName): Make =>
    knowing((d, handle, right) => ({
      *ProtocolNetPnPEvent(context, notification) {
        if (isEvent(d, notification, event)) yield* d.NdisReEnumerateProtocolBindings(handle());
        return yield* invoke(d, right, "ProtocolNetPnPEvent", context, notification);
      },
    }));

  breaks("reenumerate-not-in-binding-pnp-event", "is asked for inside an event of one binding", {
    by: PROTOCOL,
    also: ["NdisReEnumerateProtocolBindings"],
    says: /inside ProtocolNetPnPEvent for an event of one binding/,
    makeProtocol: reEnumeratesOn("NetEventPause"),
    actions: rebinds,
  });

  breaks("NdisReEnumerateProtocolBindings", "is called inside an event of one binding", {
    by: PROTOCOL,
    also: ["reenumerate-not-in-binding-pnp-event"],
    says: /inside ProtocolNetPnPEvent/,
    makeProtocol: reEnumeratesOn("NetEventPause"),
    actions: rebinds,
  });

  allows("reenumerate-not-in-binding-pnp-event", "is asked for inside an event of the whole driver", {
    makeProtocol: reEnumeratesOn("NetEventBindList"),
    actions: [...started, unbind, settle, { do: "announce bind list" }, settle, ...takenDown],
  });

  allows("NdisReEnumerateProtocolBindings", "is asked for inside an event of the whole driver", {
    makeProtocol: reEnumeratesOn("NetEventBindList"),
    actions: [...started, unbind, settle, { do: "announce bind list" }, settle, ...takenDown],
  });

  allows("reenumerate-not-in-bind-unbind", "is asked for when the unbind is over", {
    makeProtocol: knowing((d, handle) => ({
      *Rebind() {
        yield* d.NdisReEnumerateProtocolBindings(handle());
      },
    })),
    actions: [...started, unbind, settle, { do: "call", driver: PROTOCOL, function: "Rebind" }, settle, ...takenDown],
  });
});
