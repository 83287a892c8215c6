/** Drivers that tell what they see of NDIS ports. */
import { type ConstantName, statusName } from "../../src/contract/index.ts";
import {
  type Change,
  activatePorts,
  adapter,
  createAdapterContext,
  freeAdapterContext,
  binding,
  deactivatePorts,
  isEvent,
  setGeneralAttributes,
  setRegistrationAttributes,
} from "../verifier/support.ts";
import { portFunctions, usesPorts } from "../verifier/port-functions.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";

export const CONTROLS_DEFAULT_PORT = 0x80;

/** The numbers of a list of NDIS_PORT structures. */
export function numbersOf(d: DriverEnvironment, first: number): number[] {
  const numbers: number[] = [];
  for (let at = first; at !== 0; at = d.view("NDIS_PORT", at).Next)
    numbers.push(d.view("NDIS_PORT", at).PortCharacteristics_PortNumber);
  return numbers;
}

/** A protocol that tells which ports it is told to be active, and which not; and asks for the list of them. */
export const hearsOfPorts =
  (told: string[], name = "protocol"): Change =>
  (d, its) => ({
    ...usesPorts(d, its),
    *ProtocolBindAdapterEx(driver, context, parameters) {
      told.push(`${name} binds: ${numbersOf(d, d.view("NDIS_BIND_PARAMETERS", parameters).ActivePorts).join(" ")}`);
      return yield* its.inherited("ProtocolBindAdapterEx", driver, context, parameters);
    },
    *ProtocolUnbindAdapterEx(unbind, context) {
      told.push(`${name} unbinds`);
      return yield* its.inherited("ProtocolUnbindAdapterEx", unbind, context);
    },
    *ProtocolNetPnPEvent(context, event) {
      const { NetPnPEvent_Buffer: buffer, NetPnPEvent_BufferLength: length } = d.view("NET_PNP_EVENT_NOTIFICATION", event);
      if (isEvent(d, event, "NetEventPortActivation")) told.push(`${name}: + ${numbersOf(d, buffer).join(" ")}`);
      if (isEvent(d, event, "NetEventPortDeactivation")) {
        told.push(
          `${name}: - ${Array.from({ length: length / 4 }, (_, index) => d.memory.readU32(buffer + index * 4)).join(" ")}`,
        );
      }
      return yield* its.inherited("ProtocolNetPnPEvent", context, event);
    },
    *Enumerate() {
      const buffer = yield* d.NdisAllocateMemoryWithTagPriority(its.get(binding.handle), 1024, 0x7453_6574, 0);
      const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
      d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      request.RequestType = d.constant("NdisRequestQueryInformation");
      request.PortNumber = 0;
      request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_ENUMERATE_PORTS");
      request.DATA_QUERY_INFORMATION_InformationBuffer = buffer;
      request.DATA_QUERY_INFORMATION_InformationBufferLength = 1024;
      yield* d.NdisOidRequest(its.get(binding.handle), request.address);
      const { NumberOfPorts, OffsetFirstPort, ElementSize } = d.view("NDIS_PORT_ARRAY", buffer);
      const numbers = Array.from(
        { length: NumberOfPorts },
        (_, index) => d.view("NDIS_PORT_CHARACTERISTICS", buffer + OffsetFirstPort + index * ElementSize).PortNumber,
      );
      told.push(`enumerated: ${numbers.join(" ")}`);
      yield* d.NdisFreeMemory(buffer, 0, 0);
    },
  });

/** A miniport without ports of its own, which tells what its calls about ports come to. */
export const triesPorts =
  (told: string[], flags = 0): Change =>
  (d, its) => {
    const answer = (what: string, status: number): number => {
      told.push(`${what}: ${(statusName(status) ?? `0x${status.toString(16)}`).replace("NDIS_STATUS_", "")}`);
      return status;
    };
    return {
      ...portFunctions(d, its),
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context, flags);
        return yield* setGeneralAttributes(d, handle);
      },
      *MiniportHaltEx(context) {
        yield* freeAdapterContext(d, context);
      },
      *Allocate() {
        const { status, number } = yield* allocateWith(d, handleOf(its), {});
        answer(`allocate ${number}`, status);
      },
      *Activate(...numbers) {
        answer(`activate ${numbers.join(" ")}`, (yield* activatePorts(d, handleOf(its), numbers)) >>> 0);
      },
      *Deactivate(...numbers) {
        answer(`deactivate ${numbers.join(" ")}`, (yield* deactivatePorts(d, handleOf(its), numbers)) >>> 0);
      },
      *Free(number) {
        answer(`free ${number}`, (yield* d.NdisMFreePort(handleOf(its), number)) >>> 0);
      },
    };
  };

/** Allocates a port with these characteristics, and gives its number, or 0, and the status. */
export function* allocateWith(
  d: DriverEnvironment,
  handle: number,
  fields: Readonly<Partial<Record<string, number | ConstantName>>>,
  size: ConstantName = "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1",
) {
  const characteristics = d.local("NDIS_PORT_CHARACTERISTICS", fields as never);
  d.header(characteristics.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, size);
  const status = (yield* d.NdisMAllocatePort(handle, characteristics.address)) >>> 0;
  return { status, number: characteristics.PortNumber };
}

export const handleOf = (its: { get(field: number): number }): number => its.get(adapter.handle);
