/**
 * Processes of applications: their memory and what belongs to them. The system is process 0, and has no Process.
 *
 * User memory lies at fixed addresses, a part for each process, and is always mapped: what a driver may touch of it, and from where, is for the
 * rules to say.
 */
import { initializeDispatcher } from "./dispatcher-objects.ts";
import { must } from "./assert.ts";
import type { Kernel } from "./kernel.ts";
import { regions } from "./memory.ts";
import { ManagedObject, createManaged } from "./object-manager.ts";
import { RunFailed } from "./outcome.ts";
import { POISON, forgetAccesses, poison, unpoison } from "./poison.ts";
import { allocate } from "./pool.ts";
import { boolean, pointer, struct, u32, type ViewOf } from "./struct.ts";
import type { Thread } from "./state.ts";

export const Process = struct("Process", {
  /** Which process of the scenario it is, from 1. */
  number: u32,
  managed: pointer(() => ManagedObject),
  /** Bytes of its memory that have ever been used. */
  used: u32,
});
export type Process = ViewOf<typeof Process>;

/** A part of a process's memory that it has allocated. */
export const UserBlock = struct("UserBlock", {
  process: u32,
  start: u32,
  bytes: u32,
  /** What it is freed with: the address of a request. */
  owner: u32,
  /** MDLs that keep its pages locked. */
  locks: u32,
  isProbed: boolean,
  isProbedToWrite: boolean,
});
export type UserBlock = ViewOf<typeof UserBlock>;

const MAX_PROCESSES = 4;
const PROCESS_BYTES = (regions.user.end - regions.user.start) / MAX_PROCESSES;
/** Unused bytes between two blocks. */
const GAP = 32;
const BODY_TAG = 0x636f_7250;
const PROCESS_BODY_BYTES = 32;
const PROCESS_OBJECT = 3;
const THREAD_OBJECT = 6;
const THREAD_BODY_BYTES = 64;

/** Process `number` of the scenario, from 1; made when it is first named. */
export function processNumber(k: Kernel, number: number): Process {
  const known = k.objects.all(Process).find((each) => each.number === number);
  if (known !== undefined) return known;
  if (number < 1 || number > MAX_PROCESSES) throw new RunFailed(`a machine has processes 1 to ${MAX_PROCESSES}, not ${number}`);
  const process = k.objects.create(Process);
  process.number = number;
  process.managed = processObject(k, process.address);
  return process;
}

function processObject(k: Kernel, process: number): ManagedObject {
  const body = allocate(k, PROCESS_BODY_BYTES, BODY_TAG, -1);
  initializeDispatcher(k, body, PROCESS_OBJECT, false);
  return createManaged(k, "Process", body, process);
}

/** The object that stands for the system's own process. */
export const systemProcess = (k: Kernel): ManagedObject =>
  k.objects.all(ManagedObject).find(({ kind, detail }) => kind === "Process" && detail === 0) ?? processObject(k, 0);

/** The object of the process that the current thread belongs to, or is attached to. */
export function currentProcess(k: Kernel): ManagedObject {
  const { process } = k.current;
  return must(process === 0 ? systemProcess(k) : Process.at(k.memory, process).managed, "a process has no object");
}

/** Windows counts ids in fours; the system is process 4. */
const SYSTEM_PROCESS_ID = 4;
/** Id of the Process at that address; 0: the system's. */
export const idOf = (k: Kernel, process: number): number =>
  process === 0 ? SYSTEM_PROCESS_ID : SYSTEM_PROCESS_ID + Process.at(k.memory, process).number * 4;

/** The object of the process with that id. */
export function processWithId(k: Kernel, id: number): ManagedObject | undefined {
  if (id === SYSTEM_PROCESS_ID) return systemProcess(k);
  return k.objects.all(Process).find((process) => idOf(k, process.address) === id)?.managed;
}

const startOf = (process: Process): number => regions.user.start + (process.number - 1) * PROCESS_BYTES;

/** Cleared memory of the process: the first gap that is large enough. */
export function allocateUser(k: Kernel, process: Process, bytes: number, owner: number): number {
  const start = startOf(process);
  const needed = Math.ceil(Math.max(bytes, 1) / 16) * 16;
  const blocks = k.objects.all(UserBlock);
  let address = start + GAP;
  for (;;) {
    const free = address;
    const inTheWay = blocks.find((block) => block.start < free + needed + GAP && block.start + block.bytes + GAP > free);
    if (inTheWay === undefined) break;
    address = Math.ceil((inTheWay.start + inTheWay.bytes) / 16) * 16 + GAP;
  }
  if (address + needed + GAP > start + PROCESS_BYTES)
    throw new RunFailed(`process ${process.number} has ${PROCESS_BYTES} bytes of memory, and asked for more`);
  const block = k.objects.create(UserBlock);
  block.process = process.address;
  block.start = address;
  block.bytes = bytes;
  block.owner = owner;
  closeToDrivers(k, block);
  process.used = Math.max(process.used, address + needed - start);
  return address;
}

/** All memory that was allocated for that owner is free again, and clear. */
export function freeUserOf(k: Kernel, owner: number): void {
  for (const block of k.objects.all(UserBlock)) {
    if (block.owner !== owner) continue;
    k.memory.clear(block.start, block.bytes);
    poison(k.memory, ...granulesOf(block.start, block.bytes), POISON.own);
    forgetAccesses(k.memory.u32, block.start, block.bytes);
    k.objects.release(block);
  }
}

/** The 8-byte granules that the bytes lie in, as start and length. */
function granulesOf(address: number, bytes: number): [start: number, length: number] {
  const start = address & ~7;
  return [start, ((address + bytes + 7) & ~7) - start];
}

/** A driver that touches it has to be in the context of its process, and to have probed it. */
function closeToDrivers(k: Kernel, { start, bytes, isProbed }: UserBlock): void {
  poison(k.memory, ...granulesOf(start, bytes), isProbed ? POISON.probed : POISON.user);
}

/** The allocated part of an application's memory that the byte lies in. */
export const userBlockAt = (k: Kernel, address: number): UserBlock | undefined =>
  k.objects.all(UserBlock).find(({ start, bytes }) => address >= start && address < start + bytes);

/** A driver has probed memory there, to read it or to write it, too. */
export function probeUser(k: Kernel, address: number, toWrite: boolean): void {
  const block = userBlockAt(k, address);
  if (block === undefined) return;
  block.isProbed = true;
  block.isProbedToWrite ||= toWrite;
  if (block.locks === 0) closeToDrivers(k, block);
}

/** The bytes are open to drivers in every context, as long as they are locked. */
export function lockUser(k: Kernel, address: number, bytes: number): void {
  const block = userBlockAt(k, address);
  if (block === undefined) return;
  block.locks += 1;
  const start = address & ~7;
  unpoison(k.memory, start, address + bytes - start);
}

export function unlockUser(k: Kernel, address: number): void {
  const block = userBlockAt(k, address);
  if (block === undefined || block.locks === 0) return;
  block.locks -= 1;
  if (block.locks === 0) closeToDrivers(k, block);
}

/** Whether all those bytes are user memory, of whichever process. */
export const isUserMemory = (address: number, bytes: number): boolean =>
  address >= regions.user.start && address + bytes <= regions.user.end;

/** The parts of user memory that have been used. */
export function userRanges(k: Kernel): { start: number; end: number }[] {
  return k.objects.all(Process).map((process) => ({ start: startOf(process), end: startOf(process) + process.used }));
}

/** The object that stands for the thread: its body is what drivers get as a PKTHREAD, and is signalled when the thread ends. */
export function threadObject(k: Kernel, thread: Thread): ManagedObject {
  if (thread.managed !== 0) return ManagedObject.at(k.memory, thread.managed);
  const body = allocate(k, THREAD_BODY_BYTES, BODY_TAG, -1);
  initializeDispatcher(k, body, THREAD_OBJECT, false);
  const object = createManaged(k, "Thread", body, thread.address);
  thread.managed = object.address;
  return object;
}
