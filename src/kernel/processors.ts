/** Processors, their numbers, and the threads that are bound to some of them. There is one processor group. */
import { constant } from "../contract/index.ts";
import type { Kernel } from "./kernel.ts";
import { leaf, local, waiting } from "./routine.ts";
import type { Thread } from "./state.ts";
import { windowsStruct } from "./windows.ts";

const ProcessorNumber = windowsStruct("PROCESSOR_NUMBER");
const GroupAffinity = windowsStruct("GROUP_AFFINITY");
const ALL_GROUPS = constant("ALL_PROCESSOR_GROUPS");
const INVALID_INDEX = constant("INVALID_PROCESSOR_INDEX");

/** A bit for each processor. */
export function activeProcessors(k: Kernel): number {
  return (1 << k.header.processorCount) - 1;
}

/** Index of the processor that a PROCESSOR_NUMBER names; undefined: there is none of that number. */
export function processorIndex(k: Kernel, address: number): number | undefined {
  const { Group, Number: number } = ProcessorNumber.at(k.memory, address);
  return Group === 0 && number < k.header.processorCount ? number : undefined;
}

export function writeProcessorNumber(k: Kernel, address: number, index: number): void {
  k.memory.clear(address, ProcessorNumber.bytes);
  ProcessorNumber.at(k.memory, address).Number = index;
}

/** How many processors a group has; all of them for ALL_PROCESSOR_GROUPS, none for a group that is not there. */
export function processorsOfGroup(k: Kernel, group: number): number {
  return (group & 0xffff) === 0 || (group & 0xffff) === ALL_GROUPS ? k.header.processorCount : 0;
}

/** The status of writing the number of the processor with that index. */
export function numberOfIndex(k: Kernel, index: number, number: number): string {
  if (index >= k.header.processorCount) return "STATUS_INVALID_PARAMETER";
  writeProcessorNumber(k, number, index);
  return "STATUS_SUCCESS";
}

export const indexOfNumber = (k: Kernel, number: number): number => processorIndex(k, number) ?? INVALID_INDEX;

/** Whether a thread may be bound to these: they are all processors, and one of them at least is there. */
const isAffinity = (k: Kernel, mask: number): boolean => mask !== 0 && (mask & ~activeProcessors(k)) === 0;

/** Writes what the thread's affinity was, as the group routines take it back: zeros for none. */
function writeGroupAffinity(k: Kernel, address: number, mask: number): void {
  if (address === 0) return;
  k.memory.clear(address, GroupAffinity.bytes);
  GroupAffinity.at(k.memory, address).Mask = mask;
}

/** Binds the current thread to the processors; returns what it was bound to. 0: to none in particular. A mask that is not valid changes nothing. */
function bind(k: Kernel, mask: number): number {
  const thread = k.current;
  const previous = thread.affinity;
  if (isAffinity(k, mask)) thread.affinity = mask;
  return previous;
}

/** The same for going back, where 0 means the processors from before the first binding. */
function revert(k: Kernel, mask: number): number {
  if (mask !== 0) return bind(k, mask);
  k.current.affinity = 0;
  return 0;
}

/** A routine that changes the current thread's processors goes on, on one of them, when one is free. */
function moving<const N extends string>(
  name: N,
  change: (k: Kernel, ...args: number[]) => number,
  answer: (k: Kernel, previous: number, ...args: number[]) => number | void = () => {},
) {
  return waiting(name, {
    before: change,
    readyFor: (k: Kernel, thread: Thread) => k.scheduler.hasProcessor(thread),
    then: (k, previous, _timedOut, ...args) => {
      k.scheduler.place(k.current);
      return answer(k, previous, ...args);
    },
  });
}

const groupMask = (k: Kernel, address: number): number => {
  const { Group, Mask } = GroupAffinity.at(k.memory, address);
  return Group === 0 ? Mask : 0;
};

const affinityRoutines = [
  moving("KeSetSystemAffinityThread", bind),
  moving("KeSetSystemAffinityThreadEx", bind, (_k, previous) => previous),
  moving("KeRevertToUserAffinityThread", (k) => revert(k, 0)),
  moving("KeRevertToUserAffinityThreadEx", revert),
  moving(
    "KeSetSystemGroupAffinityThread",
    (k, affinity) => (isAffinity(k, groupMask(k, affinity)) ? bind(k, groupMask(k, affinity)) : 0),
    (k, previous, _affinity, previousVariable) => writeGroupAffinity(k, previousVariable ?? 0, previous),
  ),
  moving("KeRevertToUserGroupAffinityThread", (k, affinity) => {
    const { Mask, Group } = GroupAffinity.at(k.memory, affinity);
    return Group === 0 ? revert(k, Mask) : 0;
  }),
];

export const processorRoutines = [
  leaf("KeGetCurrentProcessorNumber", (k) => k.current.processor),
  leaf("KeGetCurrentProcessorNumberEx", (k, number) => {
    if (number !== 0) writeProcessorNumber(k, number, k.current.processor);
    return k.current.processor;
  }),
  leaf("KeGetCurrentProcessorIndex", (k) => k.current.processor),
  local("KeGetProcessorIndexFromNumber", indexOfNumber),
  local("KeGetProcessorNumberFromIndex", numberOfIndex),
  local("KeQueryActiveProcessorCount", (k, mask) => {
    if (mask !== 0) k.memory.writeU32(mask, activeProcessors(k));
    return k.header.processorCount;
  }),
  local("KeQueryActiveProcessorCountEx", processorsOfGroup),
  // A machine has all its processors from the start.
  local("KeQueryMaximumProcessorCount", (k) => k.header.processorCount),
  local("KeQueryMaximumProcessorCountEx", processorsOfGroup),
  local("KeQueryActiveGroupCount", () => 1),
  local("KeQueryActiveProcessors", activeProcessors),
  local("KeQueryGroupAffinity", (k, group) => ((group & 0xffff) === 0 ? activeProcessors(k) : 0)),
  local("KeGetCurrentNodeNumber", () => 0),
  local("KeMemoryBarrier", () => {}),
  ...affinityRoutines,
];
