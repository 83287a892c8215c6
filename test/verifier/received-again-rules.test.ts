/** A receive indication that uses a descriptor which the protocols still have, on each kind of medium. */
import { describe } from "vitest";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import type { DriverEnvironment, Handlers } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  adapter,
  allows,
  breaks,
  call,
  createAdapterContext,
  createFrame,
  freeAdapterContext,
  freeFrames,
  keepsReceives,
  setRegistrationAttributes,
  started,
  takenDown,
} from "./support.ts";

type Medium = "NdisMedium802_3" | "NdisMedium802_5" | "NdisMediumFddi";

/** A protocol that opens adapters of that medium. */
const opening =
  (medium: Medium) =>
  (d: DriverEnvironment): Handlers => {
    const constant: DriverEnvironment["constant"] = (name) => d.constant(name === "NdisMedium802_3" ? medium : name);
    return pendingProtocol(
      new Proxy(d, { get: (target, key) => (key === "constant" ? constant : Reflect.get(target, key)) }),
      true,
    );
  };

/** A miniport of that medium that indicates one list again and again. */
const indicatesAgain =
  (medium: Medium): Change =>
  (d, its) => {
    const list = d.statics(4);
    return {
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context);
        const general = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", { MediaType: medium, MacAddressLength: 6 });
        d.header(
          general.address,
          "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
          1,
          "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1",
        );
        return yield* d.NdisMSetMiniportAttributes(handle, general.address);
      },
      *MiniportHaltEx(context) {
        if (d.memory.readU32(list) !== 0) yield* freeFrames(d, d.memory.readU32(list));
        yield* freeAdapterContext(d, context);
      },
      MiniportReturnNetBufferLists() {},
      *Inject() {
        if (d.memory.readU32(list) === 0) d.memory.writeU32(list, yield* createFrame(d, its.context()));
        yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), d.memory.readU32(list), 0, 1, 0);
      },
    };
  };

const inject = call(MINIPORT, "Inject");
const returned = call(PROTOCOL, "ReturnAll");

describe.each([
  ["Ethernet", "NdisMedium802_3"],
  ["token ring", "NdisMedium802_5"],
  ["FDDI", "NdisMediumFddi"],
] as const)("On %s", (name, medium) => {
  breaks("recv-no-reclaim-before-return", `a miniport of ${name} indicates a list again that a protocol has`, {
    by: MINIPORT,
    says: /was indicated while a protocol has it from an earlier indication/,
    makeProtocol: opening(medium),
    protocol: keepsReceives,
    miniport: indicatesAgain(medium),
    actions: [...started, inject, inject],
  });
  allows("recv-no-reclaim-before-return", `a miniport of ${name} indicates a list again that was returned`, {
    makeProtocol: opening(medium),
    protocol: keepsReceives,
    miniport: indicatesAgain(medium),
    actions: [...started, inject, returned, inject, returned, ...takenDown],
  });
});
