/** A miniport with power management, and the stack that is not paused before its adapter sleeps. */
import type { Action } from "../../src/machine/actions.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "./registration.ts";
import {
  type Change,
  type Running,
  SUCCESS,
  createAdapterContext,
  setPowerAttributes,
  setRegistrationAttributes,
} from "./support.ts";

export const FAILURE = 0xc000_0001;
const NO_PAUSE_ON_SUSPEND = 0x100;
export const sleep: Action = { do: "power", adapter: 0, state: "D3" };
export const wake: Action = { do: "power", adapter: 0, state: "D0" };
const version = () => ({ MinorNdisVersion: 30 });
/** A stack that is not paused before its adapter sleeps. */
export const unpaused = { makeMiniport: miniportRegisteredWith(version), makeProtocol: protocolRegisteredWith(version) };

/** A miniport with power management; `beforeSleep` is what it does before it answers OID_PNP_SET_POWER, or the status that it answers with. */
export const powered =
  (more: Change = () => ({}), beforeSleep: (d: DriverEnvironment) => Running<void> | number = () => SUCCESS): Change =>
  (d, its) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context, NO_PAUSE_ON_SUSPEND);
      return yield* setPowerAttributes(d, handle);
    },
    *MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_PNP_SET_POWER"))
        return yield* its.inherited("MiniportOidRequest", context, request);
      given.DATA_SET_INFORMATION_BytesRead = 4;
      const isAwake = d.memory.readU32(given.DATA_SET_INFORMATION_InformationBuffer) === d.constant("NdisDeviceStateD0");
      const sleeping = isAwake ? SUCCESS : beforeSleep(d);
      if (typeof sleeping === "number") return sleeping;
      yield* sleeping;
      return SUCCESS;
    },
    ...more(d, its),
  });
