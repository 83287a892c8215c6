/** What NDIS keeps of ports: the ports of an adapter, and those that a binding was told of. */
import { type ViewOf, boolean, oneOf, struct, u32, words } from "../kernel/struct.ts";

/** An NDIS port of an adapter. A number that is not allocated has none; the default port belongs to NDIS and has none either. */
export const Port = struct("Port", {
  number: u32,
  state: oneOf("Allocated", "Activated"),
  /** A call that activates or deactivates it has not returned. */
  change: oneOf("none", "activating", "deactivating"),
  hasBeenActive: boolean,
  /** Its newest activation was refused. */
  isRefused: boolean,
  /** Calls that indicate data or status for it and have not returned. */
  indicationsActive: u32,
  /** From the characteristics; activation may change all but the number. */
  type: u32,
  /** An NDIS_PORT_STATE: from the characteristics, then what the miniport indicated. Its flags are the port's. */
  portState: words(12),
  next: u32,
});
export type Port = ViewOf<typeof Port>;

/** A port that a binding was told to be active: by its bind parameters or by an event. */
export const KnownPort = struct("KnownPort", {
  number: u32,
  /** The protocol failed the event. */
  isRefused: boolean,
  /** The protocol has completed the event that deactivates it. */
  isGivenUp: boolean,
  next: u32,
});
export type KnownPort = ViewOf<typeof KnownPort>;

export const portObjectTypes = [Port, KnownPort] as const;
