/** Activates one port with characteristics of the test's own. */
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { type Running, raise } from "../verifier/support.ts";

export interface States {
  readonly Flags: number;
  readonly SendControlState: number;
  readonly RcvControlState: number;
  readonly SendAuthorizationState: number;
  readonly RcvAuthorizationState: number;
}

export function* activate(d: DriverEnvironment, handle: number, number: number, states: States): Running<number> {
  const port = d.local("NDIS_PORT", {
    PortCharacteristics_PortNumber: number,
    PortCharacteristics_Flags: states.Flags,
    PortCharacteristics_SendControlState: states.SendControlState,
    PortCharacteristics_RcvControlState: states.RcvControlState,
    PortCharacteristics_SendAuthorizationState: states.SendAuthorizationState,
    PortCharacteristics_RcvAuthorizationState: states.RcvAuthorizationState,
  });
  d.header(
    d.addressOf("NDIS_PORT", port.address, "PortCharacteristics"),
    "NDIS_OBJECT_TYPE_DEFAULT",
    1,
    "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1",
  );
  return yield* raise(d, handle, "NetEventPortActivation", port.address, 80, 0);
}
