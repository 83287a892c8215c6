/** A protocol that is an interface provider. */
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import type { Change, Running } from "./support.ts";

const WIFI = 71;

/** `Try` registers a provider and three interfaces, and does that with them. */
export const registering =
  (
    body: (
      d: DriverEnvironment,
      provider: number,
      interfaces: readonly [one: number, two: number, three: number],
    ) => Running<unknown>,
  ): Change =>
  (d) => ({
    QueryObject: () => 0,
    SetObject: () => 0,
    *Try() {
      const [word, luid, index] = [d.statics(4), d.statics(8), d.statics(4)];
      const given = d.local("NDIS_IF_PROVIDER_CHARACTERISTICS", {
        QueryObjectHandler: d.handler("QueryObject"),
        SetObjectHandler: d.handler("SetObject"),
      });
      d.header(given.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1");
      yield* d.NdisIfRegisterProvider(given.address, 0, word);
      const information = d.staticStruct("NET_IF_INFORMATION").address;
      d.header(information, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1");
      function* create(): Running<number> {
        yield* d.NdisIfAllocateNetLuidIndex(WIFI, index);
        const number = d.memory.readU32(index);
        // From bit 24 on the index, from bit 48 on the type.
        d.memory.data.setBigUint64(luid, (BigInt(WIFI) << 48n) | (BigInt(number) << 24n), true);
        yield* d.NdisIfRegisterInterface(d.memory.readU32(word), luid, 0, information, index);
        return d.memory.readU32(index);
      }
      const one = yield* create();
      const two = yield* create();
      const three = yield* create();
      yield* body(d, d.memory.readU32(word), [one, two, three]);
    },
  });
