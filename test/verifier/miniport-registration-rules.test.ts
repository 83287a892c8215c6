/** Rules of what a miniport driver registers, and of the handlers that do so: set options, add device. */
import { describe } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  TAG,
  allows,
  breaks,
  call,
  createAdapterContext,
  freeAdapterContext,
  load,
  setGeneralAttributes,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
  unload,
} from "./support.ts";

const FAILURE = 0xc000_0001;
const INTERMEDIATE = 1;
const optional = (d: DriverEnvironment) => ({ SetOptionsHandler: d.handler("MiniportSetOptions") });

describe("A check-for-hang handler", () => {
  const registers = (flags: number, minor: number) =>
    miniportRegisteredWith((d) => ({
      Flags: flags,
      MinorNdisVersion: minor,
      ResetHandlerEx: d.handler("MiniportResetEx"),
      CheckForHangHandlerEx: d.handler("MiniportCheckForHangEx"),
    }));
  const miniport: Change = () => ({ MiniportResetEx: () => SUCCESS, MiniportCheckForHangEx: () => 0 });

  breaks("mp-cfh-not-for-virtual", "is registered by an intermediate driver", {
    by: MINIPORT,
    says: /An intermediate driver registers a CheckForHangHandlerEx/,
    makeMiniport: registers(INTERMEDIATE, 30),
    miniport,
  });

  breaks("mp-cfh-not-for-virtual", "is registered by a driver of NDIS 6.83", {
    by: MINIPORT,
    says: /A driver of NDIS 6\.83 registers a CheckForHangHandlerEx/,
    makeMiniport: registers(0, 83),
    miniport,
  });

  allows("mp-cfh-not-for-virtual", "is registered by a driver of NDIS 6.82", { makeMiniport: registers(0, 82), miniport });
});

/** Sets the handlers of Plug and Play, or those of selective suspend. */
function* setHandlers(d: DriverEnvironment, handle: number, what: "Plug and Play" | "selective suspend") {
  const given =
    what === "Plug and Play"
      ? d.local("NDIS_MINIPORT_PNP_CHARACTERISTICS", {
          MiniportAddDeviceHandler: d.handler("MiniportAddDevice"),
          MiniportRemoveDeviceHandler: d.handler("MiniportRemoveDevice"),
          MiniportFilterResourceRequirementsHandler: d.handler("MiniportStartDevice"),
          MiniportStartDeviceHandler: d.handler("MiniportStartDevice"),
        })
      : d.local("NDIS_MINIPORT_SS_CHARACTERISTICS");
  if (what === "Plug and Play") {
    const type = "NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS";
    d.header(given.address, type, 1, "NDIS_SIZEOF_MINIPORT_PNP_CHARACTERISTICS_REVISION_1");
  } else {
    const type = "NDIS_OBJECT_TYPE_MINIPORT_SS_CHARACTERISTICS";
    d.header(given.address, type, 1, "NDIS_SIZEOF_MINIPORT_SS_CHARACTERISTICS_REVISION_1");
  }
  return yield* d.NdisSetOptionalHandlers(handle, given.address);
}

describe("The entry points of a driver", () => {
  /** A miniport that sets its handlers when it is registered, and can be told to set them again. */
  const setting: Change = (d) => {
    const kept = d.statics(4);
    return {
      *MiniportSetOptions(handle) {
        d.memory.writeU32(kept, handle);
        return yield* setHandlers(d, handle, "Plug and Play");
      },
      *Again() {
        yield* setHandlers(d, d.memory.readU32(kept), "Plug and Play");
      },
      MiniportAddDevice: () => SUCCESS,
      MiniportStartDevice: () => SUCCESS,
      MiniportRemoveDevice() {},
    };
  };

  breaks("mp-handlers-fixed", "are set again in the middle of its life", {
    by: MINIPORT,
    says: /NdisSetOptionalHandlers was called outside of MiniportSetOptions/,
    makeMiniport: miniportRegisteredWith(optional),
    miniport: setting,
    actions: [...started, call(MINIPORT, "Again"), ...takenDown],
  });

  allows("mp-handlers-fixed", "are set when it registers", {
    makeMiniport: miniportRegisteredWith(optional),
    miniport: setting,
  });

  const suspends: Change = (d) => ({
    *MiniportSetOptions(handle) {
      return yield* setHandlers(d, handle, "selective suspend");
    },
    MiniportSynchronousOidRequest: () => "NDIS_STATUS_NOT_SUPPORTED",
  });

  breaks("oid-sync-not-with-selective-suspend", "are those of selective suspend and of synchronous OID requests", {
    by: MINIPORT,
    says: /SynchronousOidRequestHandler sets handlers of selective suspend/,
    makeMiniport: miniportRegisteredWith((d) => ({
      ...optional(d),
      SynchronousOidRequestHandler: d.handler("MiniportSynchronousOidRequest"),
    })),
    miniport: suspends,
  });

  allows("oid-sync-not-with-selective-suspend", "are those of selective suspend alone", {
    makeMiniport: miniportRegisteredWith(optional),
    miniport: suspends,
  });
});

describe("A set-options handler that fails", () => {
  const allocates =
    (frees: boolean): Change =>
    (d) => ({
      *MiniportSetOptions() {
        const block = yield* d.ExAllocatePoolWithTag(0, 64, TAG);
        if (frees) yield* d.ExFreePoolWithTag(block, TAG);
        return FAILURE;
      },
    });
  const refused = [{ do: "load", driver: MINIPORT, mayFail: true }, settle] as const;

  breaks("mp-setoptions-undo-on-failure", "keeps what it has allocated", {
    by: MINIPORT,
    says: /MiniportSetOptions failed, and 1 block\(s\) of memory/,
    also: ["leak-memory"],
    makeMiniport: miniportRegisteredWith(optional),
    miniport: allocates(false),
    actions: refused,
  });

  allows("mp-setoptions-undo-on-failure", "has freed what it allocated", {
    makeMiniport: miniportRegisteredWith(optional),
    miniport: allocates(true),
    actions: refused,
  });

  allows("mp-setoptions-undo-on-failure", "is another driver's than the one that keeps what it allocated", {
    makeProtocol: protocolRegisteredWith((d) => ({ SetOptionsHandler: d.handler("ProtocolSetOptions") })),
    makeMiniport: miniportRegisteredWith(optional),
    protocol: (d, its) => {
      const kept = d.statics(4);
      return {
        *ProtocolSetOptions() {
          d.memory.writeU32(kept, yield* d.ExAllocatePoolWithTag(0, 64, TAG));
          return SUCCESS;
        },
        *DriverUnload(object) {
          yield* d.ExFreePoolWithTag(d.memory.readU32(kept), TAG);
          yield* its.inherited("DriverUnload", object);
        },
      };
    },
    miniport: allocates(true),
    actions: [load(PROTOCOL), ...refused, unload(PROTOCOL)],
  });
});

describe("MiniportAddDevice", () => {
  /** A miniport whose add-device context is memory of its own, or that of the adapter. */
  const adds =
    (mistake: "none" | "fails and keeps it" | "is never undone" | "is the adapter's"): Change =>
    (d) => {
      const context = d.statics(4);
      return {
        *MiniportSetOptions(handle) {
          return yield* setHandlers(d, handle, "Plug and Play");
        },
        *MiniportAddDevice(handle) {
          const made =
            mistake === "is the adapter's"
              ? yield* createAdapterContext(d, handle)
              : yield* d.NdisAllocateMemoryWithTagPriority(handle, 64, TAG, 0);
          d.memory.writeU32(context, made);
          if (mistake === "fails and keeps it") return FAILURE;
          const attributes = d.local("NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES", { MiniportAddDeviceContext: made });
          const type = "NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES";
          d.header(attributes.address, type, 1, "NDIS_SIZEOF_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1");
          return yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
        },
        MiniportStartDevice: () => SUCCESS,
        *MiniportInitializeEx(handle) {
          const own = mistake === "is the adapter's" ? d.memory.readU32(context) : yield* createAdapterContext(d, handle);
          yield* setRegistrationAttributes(d, handle, own);
          return yield* setGeneralAttributes(d, handle);
        },
        *MiniportHaltEx(own) {
          if (mistake === "is the adapter's") yield* d.NdisFreeNetBufferListPool(d.memory.readU32(own + 12));
          else yield* freeAdapterContext(d, own);
        },
        *MiniportRemoveDevice(added) {
          if (mistake !== "is never undone") yield* d.NdisFreeMemory(added, 0, 0);
        },
      };
    };
  const makeMiniport = miniportRegisteredWith(optional);
  const start = { do: "start adapter", driver: MINIPORT, adapter: 0, mayFail: true } as const;
  const life = [load(MINIPORT), start, settle];

  breaks("mp-adddevice-context", "fails and keeps its context", {
    by: MINIPORT,
    says: /MiniportAddDevice failed, and 1 block\(s\) of memory/,
    makeMiniport,
    miniport: adds("fails and keeps it"),
    actions: life,
  });

  breaks("mp-adddevice-context", "is not undone by MiniportRemoveDevice", {
    by: MINIPORT,
    says: /MiniportRemoveDevice returned, and 1 block\(s\) of memory/,
    makeMiniport,
    miniport: adds("is never undone"),
    actions: [...life, { do: "stop adapter", adapter: 0 }],
  });

  breaks("mp-adddevice-context", "makes the context of the adapter", {
    by: MINIPORT,
    says: /The MiniportAdapterContext is the context of MiniportAddDevice/,
    makeMiniport,
    miniport: adds("is the adapter's"),
    actions: [...life, { do: "stop adapter", adapter: 0 }],
  });

  allows("mp-adddevice-context", "makes a context of its own, which MiniportRemoveDevice frees", {
    makeMiniport,
    miniport: adds("none"),
    actions: [...life, { do: "stop adapter", adapter: 0 }, unload(MINIPORT)],
  });
});
