/** A miniport with power management, and the stack that is not paused before its adapter sleeps. */
import type { Action } from "../../src/machine/actions.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "./registration.ts";
import { type Change, type Running, SUCCESS, createAdapterContext, setRegistrationAttributes } from "./support.ts";

export const FAILURE = 0xc000_0001;
const NO_PAUSE_ON_SUSPEND = 0x100;
export const sleep: Action = { do: "power", adapter: 0, state: "D3" };
export const wake: Action = { do: "power", adapter: 0, state: "D0" };
const version = () => ({ MinorNdisVersion: 30 });
/** A stack that is not paused before its adapter sleeps. */
export const unpaused = { makeMiniport: miniportRegisteredWith(version), makeProtocol: protocolRegisteredWith(version) };

/** A miniport with power management; `beforeSleep` is what it does before it answers OID_PNP_SET_POWER, with another status if it gives one. */
export const powered =
  (more: Change = () => ({}), beforeSleep: (d: DriverEnvironment) => Running<number | void> = function* () {}): Change =>
  (d, its) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context, NO_PAUSE_ON_SUSPEND);
      const general = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", {
        MediaType: "NdisMedium802_3",
        MacAddressLength: 6,
        PowerManagementCapabilitiesEx: d.local("NDIS_PM_CAPABILITIES").address,
      });
      d.header(
        general.address,
        "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
        2,
        "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2",
      );
      return yield* d.NdisMSetMiniportAttributes(handle, general.address);
    },
    *MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_PNP_SET_POWER"))
        return yield* its.inherited("MiniportOidRequest", context, request);
      given.DATA_SET_INFORMATION_BytesRead = 4;
      const isAwake = d.memory.readU32(given.DATA_SET_INFORMATION_InformationBuffer) === d.constant("NdisDeviceStateD0");
      return (isAwake ? undefined : yield* beforeSleep(d)) ?? SUCCESS;
    },
    ...more(d, its),
  });
