/** The right drivers of the examples, registered with more in their characteristics: handlers that they do without, another version. */
import { portMiniport } from "../../examples/typescript/port-miniport.ts";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import type { StructName } from "../../src/contract/index.ts";
import type { DriverEnvironment, FieldValues, Handlers } from "../../src/tsdriver/driver.ts";

/** The environment, with these fields and that header in every structure of that name that the driver makes. */
function environmentWith<N extends StructName>(
  d: DriverEnvironment,
  name: N,
  fields: () => FieldValues<N>,
  header: readonly [revision: number, size: Parameters<DriverEnvironment["header"]>[3]],
): DriverEnvironment {
  let made = 0;
  const local = <M extends StructName>(wanted: M, given: FieldValues<M> = {}) => {
    const all = (wanted as StructName) === name ? { ...given, ...(fields() as FieldValues<M>) } : given;
    const structure = d.local(wanted, all);
    if ((wanted as StructName) === name) made = structure.address;
    return structure;
  };
  const setHeader: DriverEnvironment["header"] = (address, type, revision, size) => {
    const isMade = address === made;
    // The next structure may lie at the same place.
    if (isMade) made = 0;
    return isMade ? d.header(address, type, header[0], header[1]) : d.header(address, type, revision, size);
  };
  return new Proxy(d, {
    get: (target, key) => {
      if (key === "local") return local;
      return key === "header" ? setHeader : Reflect.get(target, key);
    },
  });
}

type Fields<N extends StructName> = (d: DriverEnvironment) => FieldValues<N>;

export const miniportRegisteredWith =
  (fields: Fields<"NDIS_MINIPORT_DRIVER_CHARACTERISTICS">) =>
  (d: DriverEnvironment): Handlers =>
    portMiniport(
      environmentWith(d, "NDIS_MINIPORT_DRIVER_CHARACTERISTICS", () => fields(d), [
        3,
        "NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3",
      ]),
      true,
    );

export const protocolRegisteredWith =
  (fields: Fields<"NDIS_PROTOCOL_DRIVER_CHARACTERISTICS">) =>
  (d: DriverEnvironment): Handlers =>
    pendingProtocol(
      environmentWith(d, "NDIS_PROTOCOL_DRIVER_CHARACTERISTICS", () => fields(d), [
        2,
        "NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2",
      ]),
      true,
    );
