/** What NDIS keeps of network interfaces that drivers provide. */
import { type ViewOf, pointer, struct, u32 } from "../kernel/struct.ts";

/** A driver that provides network interfaces. */
export const InterfaceProvider = struct("InterfaceProvider", { slot: u32, context: u32, queryObject: u32, setObject: u32 });
export type InterfaceProvider = ViewOf<typeof InterfaceProvider>;

/** An interface that a provider has registered. */
export const NetInterface = struct("NetInterface", {
  provider: pointer(() => InterfaceProvider),
  context: u32,
  luidLow: u32,
  luidHigh: u32,
  index: u32,
});
export type NetInterface = ViewOf<typeof NetInterface>;

/** One interface above another. */
export const InterfaceStackEntry = struct("InterfaceStackEntry", { higher: u32, lower: u32 });
/** An index that is allocated for interfaces of the type. */
export const NetLuidIndex = struct("NetLuidIndex", { type: u32, index: u32 });

export const interfaceObjectTypes = [InterfaceProvider, NetInterface, InterfaceStackEntry, NetLuidIndex];
