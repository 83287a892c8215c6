/** Data that a protocol has to look at before it trusts it, and calls that come earlier than it may expect. */
import { describe } from "vitest";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import type { ConstantName } from "../../src/contract/index.ts";
import type { Action } from "../../src/machine/actions.ts";
import {
  type Change,
  type Make,
  MINIPORT,
  PROTOCOL,
  activatePorts,
  adapter,
  allocatePort,
  allows,
  breaks,
  call,
  deactivatePorts,
  indicates,
  isEvent,
  late,
  load,
  settle,
  started,
  takenDown,
} from "./support.ts";

const announce = (form: "well-formed" | "no buffer" | "not terminated"): Action => ({ do: "announce bind list", form });

describe("The data of an event", () => {
  /** Asserts what it should look at. */
  const trusts =
    (event: ConstantName): Change =>
    (d, its) => ({
      *ProtocolNetPnPEvent(context, notification) {
        if (isEvent(d, notification, event)) {
          const { NetPnPEvent_Buffer: buffer, NetPnPEvent_BufferLength: length } = d.view(
            "NET_PNP_EVENT_NOTIFICATION",
            notification,
          );
          if (buffer === 0) throw new Error("ASSERT(there is data)");
          if (d.memory.readU16(buffer + length - 2) !== 0) throw new Error("ASSERT(it ends with a zero)");
        }
        return yield* its.inherited("ProtocolNetPnPEvent", context, notification);
      },
    });
  const looks: Change = (d, its) => {
    const names = d.statics(4);
    return {
      *ProtocolNetPnPEvent(context, notification) {
        const given = d.view("NET_PNP_EVENT_NOTIFICATION", notification);
        if (isEvent(d, notification, "NetEventBindList")) {
          for (let at = 0; at + 1 < given.NetPnPEvent_BufferLength; at += 2) {
            if (d.memory.readU16(given.NetPnPEvent_Buffer + at) !== 0) continue;
            d.memory.writeU32(names, d.memory.readU32(names) + 1);
          }
        }
        return yield* its.inherited("ProtocolNetPnPEvent", context, notification);
      },
    };
  };

  for (const form of ["no buffer", "not terminated"] as const) {
    breaks("pnp-validate-data", `is taken for a bind list: ${form}`, {
      by: PROTOCOL,
      says: /ASSERT/,
      ends: "fault",
      protocol: trusts("NetEventBindList"),
      actions: [...started, announce(form), settle],
    });
  }

  breaks("pnp-validate-data", "is taken for a configuration", {
    by: PROTOCOL,
    says: /ASSERT/,
    ends: "fault",
    protocol: trusts("NetEventReconfigure"),
    actions: [...started, { do: "reconfigure" }, settle],
  });

  allows("pnp-validate-data", "is looked at before it is used", {
    protocol: looks,
    actions: [
      ...started,
      announce("well-formed"),
      announce("no buffer"),
      announce("not terminated"),
      { do: "reconfigure" },
      settle,
      ...takenDown,
    ],
  });
});

describe("An event that may be failed", () => {
  const fails =
    (event: ConstantName): Change =>
    (d, its) => ({
      *ProtocolNetPnPEvent(context, notification) {
        const status = yield* its.inherited("ProtocolNetPnPEvent", context, notification);
        return isEvent(d, notification, event) ? "NDIS_STATUS_FAILURE" : status;
      },
    });
  const activates: Change = (d, its) => ({
    *Activate() {
      const handle = its.get(adapter.handle);
      yield* activatePorts(d, handle, [yield* allocatePort(d, handle)]);
    },
    *Free() {
      const handle = its.get(adapter.handle);
      yield* deactivatePorts(d, handle, [2]);
      yield* d.NdisMFreePort(handle, 2);
    },
  });

  allows("pnp-event-always-succeed", "is the activation of a port", {
    protocol: fails("NetEventPortActivation"),
    miniport: activates,
    actions: [...started, call(MINIPORT, "Activate"), call(MINIPORT, "Free"), ...takenDown],
  });

  allows("pnp-event-always-succeed", "is the question whether the device may be removed", {
    protocol: fails("NetEventQueryRemoveDevice"),
    actions: [...started, { do: "adapter event", adapter: 0, event: "query remove" }, settle, ...takenDown],
  });

  for (const [event, name] of [
    ["cancel remove", "NetEventCancelRemoveDevice"],
    ["wake-up on", "NetEventPnPCapabilities"],
  ] as const) {
    breaks("pnp-event-always-succeed", `is not ${name}`, {
      by: PROTOCOL,
      says: new RegExp(`${name} was completed with 0xc0000001`),
      protocol: fails(name),
      actions: [...started, { do: "adapter event", adapter: 0, event }, settle, ...takenDown],
    });
  }

  allows("pnp-event-always-succeed", "is the same question when the device is gone", {
    protocol: fails("NetEventQueryRemoveDevice"),
    actions: [...started, { do: "stop adapter", adapter: 0, bySurprise: true }, settle, ...takenDown.slice(2)],
  });
});

describe("A driver that stumbles", () => {
  const BINDS_FIRST = late("NdisRegisterProtocolDriver: the driver is bound before the call returns");
  const registersLate: Action[] = [
    load(MINIPORT),
    { do: "start adapter", driver: MINIPORT, adapter: 0 },
    load(PROTOCOL),
    settle,
    ...takenDown,
  ];
  /** Makes something ready before it registers, or when it has; its bind needs it. */
  const readies =
    (when: "before" | "after"): Change =>
    (d, its) => {
      const ready = d.statics(4);
      return {
        *DriverEntry(driverObject, path) {
          if (when === "before") d.memory.writeU32(ready, 1);
          const status = yield* its.inherited("DriverEntry", driverObject, path);
          d.memory.writeU32(ready, 1);
          return status;
        },
        *ProtocolBindAdapterEx(...args) {
          if (d.memory.readU32(ready) !== 1) throw new Error("the list of bindings is not initialized");
          return yield* its.inherited("ProtocolBindAdapterEx", ...args);
        },
      };
    };

  breaks("trap", "is bound before NdisRegisterProtocolDriver has returned, and was not ready", {
    by: PROTOCOL,
    says: /the list of bindings is not initialized/,
    ends: "fault",
    protocol: readies("after"),
    actions: registersLate,
    answers: [BINDS_FIRST],
  });

  allows("trap", "is bound before NdisRegisterProtocolDriver has returned, and was ready", {
    protocol: readies("before"),
    actions: registersLate,
    answers: [BINDS_FIRST],
  });

  const FRAME_TYPE = 0x88b5;
  /** Opens for frames of one type. */
  const opensForOneType: Make = (d) => {
    const array = d.statics(4);
    const changed = new Proxy(d, {
      get: (target, name) => {
        if (name !== "NdisOpenAdapterEx") return Reflect.get(target, name);
        return (...args: number[]) => {
          const parameters = target.view("NDIS_OPEN_PARAMETERS", args[2] ?? 0);
          d.memory.writeU16(array, FRAME_TYPE);
          parameters.FrameTypeArray = array;
          parameters.FrameTypeArraySize = 1;
          return target.NdisOpenAdapterEx(...args);
        };
      },
    });
    return pendingProtocol(changed, true);
  };
  const looksAtType =
    (demands: boolean): Change =>
    (d, its) => ({
      *ProtocolReceiveNetBufferLists(context, lists, port, count, flags) {
        const buffer = d.view("NET_BUFFER_LIST", lists).FirstNetBuffer;
        const data = d.view("MDL", d.view("NET_BUFFER", buffer).MdlChain).MappedSystemVa;
        const isOurs = d.memory.readU16(data + 12) === ((FRAME_TYPE & 0xff) << 8) + (FRAME_TYPE >> 8);
        if (demands && !isOurs) throw new Error("ASSERT(the frame has the type that was asked for)");
        yield* its.inherited("ProtocolReceiveNetBufferLists", context, lists, port, count, flags);
      },
    });
  const receives = [...started, call(MINIPORT, "Inject"), settle, ...takenDown];

  breaks("trap", "gets a frame whose type is not in the list of its open, and does not tolerate it", {
    by: PROTOCOL,
    says: /ASSERT\(the frame has the type that was asked for\)/,
    ends: "fault",
    makeProtocol: opensForOneType,
    protocol: looksAtType(true),
    miniport: indicates,
    actions: receives,
  });

  allows("trap", "gets a frame whose type is not in the list of its open, and passes it by", {
    makeProtocol: opensForOneType,
    protocol: looksAtType(false),
    miniport: indicates,
    actions: receives,
  });
});
