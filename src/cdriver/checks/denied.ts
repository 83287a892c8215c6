/** What an access to memory that is not the driver's to touch was: its rule, and a sentence with what lies there. */
import { type Giving, givingOf } from "../../kernel/given-memory.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { MEMORY_BYTES, regions } from "../../kernel/memory.ts";
import { POISON, isGiven, poisonAt } from "../../kernel/poison.ts";
import { PoolBlock, blockAround, tagText } from "../../kernel/pool.ts";
import { readString } from "./c-strings.ts";
import { DESCRIPTION_OFFSET, FRAME_MAGIC, type Variable, variablesIn } from "./frame-description.ts";

export interface Access {
  readonly address: number;
  readonly bytes: number;
  readonly writes: boolean;
}

export interface Global {
  readonly address: number;
  readonly bytes: number;
  /** Its bytes and those of the zone behind it. */
  readonly withZone: number;
  readonly name: string;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
const count = (bytes: number): string => (bytes === 1 ? "1 byte" : `${bytes} bytes`);

/** The first byte that the running driver may not access, and why. */
const badAt = (k: Kernel, { address, bytes }: Access): ReturnType<typeof poisonAt> =>
  poisonAt(k.memory, address, bytes, k.driverOfThread(k.current));

export function ruleOf(k: Kernel, access: Access): string {
  const { address } = access;
  if (address < regions.nullPage.end) return "null-access";
  const bad = badAt(k, access);
  const state = bad?.state;
  const giving = bad === undefined ? undefined : givingAt(k, bad.address, bad.state);
  if (giving !== undefined) return giving.rule;
  if (state !== undefined && isGiven(state)) return "use-after-free";
  if (state === undefined && isStack(address)) return "use-after-free";
  return state === POISON.freed || state === POISON.kept || state === POISON.outOfScope ? "use-after-free" : "out-of-bounds";
}

export function describeAccess(k: Kernel, access: Access, globals: readonly Global[]): string {
  const { address, bytes, writes } = access;
  if (address < regions.nullPage.end) return "a null pointer was dereferenced";
  const did = `${count(bytes)} at ${hex(address)} ${bytes === 1 ? "was" : "were"} ${writes ? "written" : "read"}`;
  return `${did}: ${describePlace(k, access, globals)}`;
}

/** Bytes that decided something before anybody had written them. */
export function describeUnwritten(k: Kernel, { address, bytes }: Access, globals: readonly Global[]): string {
  const place =
    ofPool(k, address, undefined, undefined) ?? ofGlobal(address, globals) ?? ofFrame(k, address, 0) ?? ofRegion(address);
  const them = bytes === 1 ? "it" : "them";
  const since = isPool(address)
    ? `nobody has written ${them} since the memory was allocated`
    : isStack(address)
      ? `nobody has written ${them} since the function was entered`
      : `${them === "it" ? "it was" : "they were"} copied from memory that nobody had written`;
  return `${count(bytes)} at ${hex(address)} ${bytes === 1 ? "decides" : "decide"} what happens next, but ${since}: ${place}`;
}

/** What lies where the first byte is that may not be accessed. */
export function describePlace(k: Kernel, access: Access, globals: readonly Global[]): string {
  const { address, bytes } = access;
  if (address + bytes > MEMORY_BYTES) return "where there is no memory";
  const bad = badAt(k, access);
  const at = bad?.address ?? address;
  const giving = bad === undefined ? undefined : givingAt(k, at, bad.state);
  const given = bad === undefined || !isGiven(bad.state) || giving !== undefined ? "" : ", which the driver has given away";
  const place = ofPool(k, at, bad?.state, giving) ?? ofGlobal(at, globals) ?? ofFrame(k, at, bad?.state) ?? ofRegion(at);
  return `${place}${given}`;
}

/** How the running driver gave the memory away that it may not touch; undefined: it did not, or in a way that is not known. */
function givingAt(k: Kernel, at: number, state: number): Giving | undefined {
  const block = isPool(at) && (isGiven(state) || state === POISON.freed) ? blockAround(k, at) : undefined;
  const giving = block === undefined ? undefined : givingOf(block, k.driverOfThread(k.current));
  // Where a send came back, it was the driver's to free.
  return state === POISON.freed && giving?.comesBack === true && isInSendComplete(k) ? undefined : giving;
}

const isPool = (at: number): boolean => at >= regions.pool.start && at < regions.pool.end;

function isInSendComplete(k: Kernel): boolean {
  const { current } = k;
  for (let index = current.depth - 1; index >= 0; index -= 1) {
    const frame = k.frame(current, index);
    if (frame.kind === "Code") return k.handlerName(frame) === "ProtocolSendNetBufferListsComplete";
  }
  return false;
}

/** The block of pool that the access is about. */
export function thingOf(k: Kernel, access: Access): { thing?: number } {
  const at = badAt(k, access)?.address ?? access.address;
  const block = isPool(at) ? blockAround(k, at) : undefined;
  return block === undefined ? {} : { thing: block.address + PoolBlock.bytes };
}

function ofPool(k: Kernel, at: number, state: number | undefined, giving: Giving | undefined): string | undefined {
  if (!isPool(at)) return undefined;
  const block = blockAround(k, at);
  if (block === undefined) return "pool that was never allocated";
  const start = block.address + PoolBlock.bytes;
  const what = `the ${count(block.bytes)} with tag '${tagText(block.tag)}' at ${hex(start)}`;
  if (giving !== undefined) {
    const since = state === POISON.freed ? " and which were freed since" : giving.comesBack ? " and which are not back" : "";
    return `${where(at, start, block.bytes)} ${what}, which the driver gave to ${giving.to} by ${giving.routine}${since}`;
  }
  if (state === POISON.freed)
    return `${where(at, start, block.bytes)} ${what}, which ${block.bytes === 1 ? "was" : "were"} freed`;
  if (state === POISON.kept) return `${where(at, start, block.bytes)} ${what}, which lie free on a lookaside list`;
  return `${where(at, start, block.bytes)} ${what}`;
}

/** How the byte lies to the block. */
function where(at: number, start: number, bytes: number): string {
  if (at < start) return `${count(start - at)} before`;
  if (at < start + bytes)
    return `${at - start === 0 ? "the first byte" : `${count(at - start)} into`} of`.replace(" into of", " into");
  const past = at - start - bytes;
  return past === 0 ? "the first byte past the end of" : `${count(past)} past the end of`;
}

function ofGlobal(at: number, globals: readonly Global[]): string | undefined {
  const global = globals.find(({ address, withZone }) => at >= address && at < address + withZone);
  if (global === undefined) return undefined;
  return `${where(at, global.address, global.bytes)} the ${count(global.bytes)} of the global variable ${global.name}`;
}

const FRAME_ALIGNMENT = 32;

/** The compiler's own code marks a frame that is left, where access-checks.ts has not seen that it is its own. */
export function isEndOfFrame(k: Kernel, { address, bytes, writes }: Access): boolean {
  const isAtStart = writes && bytes === 4 && address % FRAME_ALIGNMENT === 0 && address >= regions.stacks.start;
  return isAtStart && address < regions.stacks.end && k.memory.u32[address >>> 2] === FRAME_MAGIC;
}

const isStack = (address: number): boolean => address >= regions.stacks.start && address < regions.stacks.end;

function ofFrame(k: Kernel, at: number, state: number | undefined): string | undefined {
  if (!isStack(at)) return undefined;
  if (state === undefined) return "where a function that has returned had its variables";
  const { frame, variables } = frameAround(k, at);
  const distance = ({ offset, bytes }: Variable): number => {
    const into = at - frame - offset;
    return into < 0 ? -into : Math.max(into - bytes + 1, 0);
  };
  const [nearest] = variables.toSorted((one, other) => distance(one) - distance(other));
  if (nearest === undefined) return "the stack of a thread";
  const place = `${where(at, frame + nearest.offset, nearest.bytes)} the ${count(nearest.bytes)} of the local variable ${nearest.name}`;
  return state === POISON.outOfScope ? `${place}, whose scope has ended` : place;
}

function frameAround(k: Kernel, at: number): { frame: number; variables: Variable[] } {
  const { u32, u8 } = k.memory;
  for (let frame = at & -FRAME_ALIGNMENT; frame >= regions.stacks.start && frame > at - 0x2_0000; frame -= FRAME_ALIGNMENT) {
    if (u32[frame >>> 2] !== FRAME_MAGIC) continue;
    return { frame, variables: variablesIn(readString(u8, u32[(frame + DESCRIPTION_OFFSET) >>> 2] ?? 0)) };
  }
  return { frame: 0, variables: [] };
}

function ofRegion(at: number): string {
  if (at >= regions.user.start && at < regions.user.end)
    return "memory of an application that the driver has not probed for that";
  if (at >= regions.images.start && at < regions.images.end) return "not data of any driver";
  if (at >= MEMORY_BYTES) return "where there is no memory";
  return "memory of the system, which is not for drivers";
}
