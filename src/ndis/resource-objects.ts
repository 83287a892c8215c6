/** What NDIS keeps of what drivers take for themselves: configurations, shared memory, timers, work items. */
import { ManagedObject } from "../kernel/object-manager.ts";
import { type ViewOf, boolean, pointer, struct, u32 } from "../kernel/struct.ts";

/** An open configuration: an open key of the registry. */
export const Configuration = struct("Configuration", {
  slot: u32,
  /** The NDIS handle that it was opened with. */
  owner: u32,
  key: pointer(() => ManagedObject),
  firstValue: u32,
});
export type Configuration = ViewOf<typeof Configuration>;

/** Something that was read through a configuration: a block of memory that goes when the configuration is closed. */
export const ConfigurationValue = struct("ConfigurationValue", { block: u32, next: u32 });

/** Memory shared with a device: `length` bytes from `start` on. `owner` is the handle that it was allocated with. */
export const SharedMemory = struct("SharedMemory", { slot: u32, owner: u32, start: u32, length: u32 });
export type SharedMemory = ViewOf<typeof SharedMemory>;

export const TimerObject = struct("TimerObject", {
  slot: u32,
  /** The handle that it was allocated with. */
  owner: u32,
  function: u32,
  context: u32,
  tag: u32,
  /** As it was set last. */
  isPeriodic: boolean,
});
export type TimerObject = ViewOf<typeof TimerObject>;

/** `owner` is the handle that it was allocated with. */
export const IoWorkItem = struct("IoWorkItem", { slot: u32, owner: u32 });
export type IoWorkItem = ViewOf<typeof IoWorkItem>;

export const resourceObjectTypes = [Configuration, ConfigurationValue, SharedMemory, TimerObject, IoWorkItem];
