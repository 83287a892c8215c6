/**
 * Lookaside lists: entries of one size that a driver hands back and gets again, the last one first.
 *
 * The list lives in the driver's NPAGED_LOOKASIDE_LIST or LOOKASIDE_LIST_EX, which both begin with a GENERAL_LOOKASIDE. Free entries are
 * linked through their first word. The system's set of active lists is a set of objects; the structure holds the handle of its own.
 */
import { chainOf } from "./driver-chains.ts";
import { constant } from "../contract/index.ts";
import { raise } from "./exceptions.ts";
import type { Kernel } from "./kernel.ts";
import { DriverFault } from "./outcome.ts";
import { call, done, goTo, plan, step } from "./plan.ts";
import { POISON, forgetAccesses, poison, unpoison } from "./poison.ts";
import { allocateUnwritten, blockAt, free, leaveUnwritten } from "./pool.ts";
import { leaf, planned } from "./routine.ts";
import { struct, u32, type ViewOf } from "./struct.ts";
import { windowsStruct } from "./windows.ts";

/** A lookaside list in use. */
export const LookasideList = struct("LookasideList", { slot: u32, list: u32 });
export type LookasideList = ViewOf<typeof LookasideList>;

const General = windowsStruct("GENERAL_LOOKASIDE");
type General = ReturnType<typeof General.at>;

/**
 * Entries that a list keeps. Undocumented: the system determines it and adapts it to demand; here it stays where it can start, so that a
 * driver's functions are called for few entries too.
 */
const DEPTH = 4;
const RAISE = constant("POOL_RAISE_IF_ALLOCATION_FAILURE");
const FAIL = constant("POOL_QUOTA_FAIL_INSTEAD_OF_RAISE");
const NX = constant("POOL_NX_ALLOCATION");
const RAISE_ON_FAIL = constant("EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL");
const FAIL_NO_RAISE = constant("EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE");
/** Kinds of pool, and the bits that may be added to them. */
const POOL_TYPE_BITS = 0x7 | 0x20 | FAIL | RAISE | constant("POOL_COLD_ALLOCATION") | NX;
const INSUFFICIENT_RESOURCES = constant("STATUS_INSUFFICIENT_RESOURCES");

interface Kind {
  readonly allocate: string;
  readonly free: string;
  /** Whether the driver's functions get the list as their last argument. */
  readonly passesList: boolean;
}
const KINDS: Readonly<Record<"NPaged" | "Ex", Kind>> = {
  NPaged: { allocate: "XxxAllocate", free: "XxxFree", passesList: false },
  Ex: { allocate: "LookasideListAllocateEx", free: "LookasideListFreeEx", passesList: true },
};
export const lookasideHandlers = ["XxxAllocate", "XxxFree", "LookasideListAllocateEx", "LookasideListFreeEx"] as const;

const hex = (address: number): string => `0x${address.toString(16)}`;

function initialize(k: Kernel, list: number, allocate_: number, free_: number, type: number, bytes: number, tag: number): void {
  k.memory.clear(list, General.bytes);
  const active = k.objects.create(LookasideList);
  active.slot = k.driverOfThread(k.current);
  active.list = list;
  const general = General.at(k.memory, list);
  general.Depth = DEPTH;
  general.MaximumDepth = constant("EX_MAXIMUM_LOOKASIDE_DEPTH_BASE");
  general.Type = type;
  general.Tag = tag;
  general.Size = bytes;
  general.Allocate = allocate_;
  general.Free = free_;
  general.ListEntry_Flink = k.objects.handleOf(active);
}

/** The list, if it is in use. */
function listAt(k: Kernel, list: number): General {
  const general = General.at(k.memory, list);
  if (k.objects.resolve(general.ListEntry_Flink, LookasideList)?.list === list) return general;
  throw new DriverFault("trap", `the lookaside list at ${hex(list)} is used, but it is not initialised or was deleted`);
}

/** Takes the first entry off the list; 0: it is empty. */
function pop(k: Kernel, list: General): number {
  const entry = list.ListHead_Next_Next;
  if (entry === 0) return 0;
  list.ListHead_Next_Next = k.memory.readU32(entry);
  list.ListHead_Depth -= 1;
  k.memory.writeU32(entry, 0);
  const block = blockAt(k, entry);
  if (block !== undefined) {
    block.state = "Allocated";
    unpoison(k.memory, entry, block.bytes);
    // What a driver's function allocated may be of use again but for its first words.
    if (list.Allocate === 0) leaveUnwritten(k, entry, block.bytes);
  }
  return entry;
}

function push(k: Kernel, list: General, entry: number): void {
  k.memory.writeU32(entry, list.ListHead_Next_Next);
  list.ListHead_Next_Next = entry;
  list.ListHead_Depth += 1;
  const block = blockAt(k, entry);
  if (block === undefined) return;
  block.state = "Kept";
  poison(k.memory, entry, block.capacity, POISON.kept);
  forgetAccesses(k.memory.u32, entry, block.capacity);
}

const isOn = (k: Kernel, list: General, entry: number): boolean =>
  chainOf("free entries of a lookaside list", list.ListHead_Next_Next, (at) => k.memory.readU32(at)).includes(entry);

/** A wrong entry ends the run, as a wrong block of pool does. */
function checkEntry(k: Kernel, list: General, entry: number): void {
  const block = blockAt(k, entry);
  if (isOn(k, list, entry) || block?.state === "Freed" || block?.state === "Kept") {
    throw new DriverFault("double-free", `the entry at ${hex(entry)} is handed back to a lookaside list, but is free already`);
  }
  // What a driver's own function gave need not be a block of pool.
  if (block === undefined && list.Allocate !== 0 && k.memory.isAddress(entry, list.Size)) return;
  if (block?.lookaside === list.address) return;
  throw new DriverFault(
    "invalid-free",
    `${hex(entry)} is handed back to the lookaside list at ${hex(list.address)}, which did not give it out`,
  );
}

/** An entry that a new allocation gave belongs to the list from now on. */
function adopt(k: Kernel, routine: string, list: General, entry: number): number {
  if (entry === 0) {
    if ((list.Type & RAISE) !== 0) raise(k, routine, INSUFFICIENT_RESOURCES);
    return 0;
  }
  const block = blockAt(k, entry);
  if (block !== undefined) block.lookaside = list.address;
  return entry;
}

/** An entry that leaves the list for good is pool like any other. */
function release(k: Kernel, entry: number): number {
  const block = blockAt(k, entry);
  if (block !== undefined) block.lookaside = 0;
  return entry;
}

function allocating(routine: string, kind: Kind) {
  return plan(routine, struct("LookasideAllocation", { list: u32 }), [
    step("the first entry of the list is taken", (k, p) => {
      const list = listAt(k, p.list);
      list.TotalAllocates += 1;
      const entry = pop(k, list);
      if (entry !== 0) return done(entry);
      list.AllocateMisses += 1;
      if (list.Allocate === 0) return done(adopt(k, routine, list, allocateUnwritten(k, list.Size, list.Tag)));
      return call(list.Allocate, kind.allocate, [list.Type, list.Size, list.Tag, ...(kind.passesList ? [p.list] : [])]);
    }),
    step("the list was empty, and the driver's function has allocated an entry", (k, p, entry) =>
      done(adopt(k, routine, listAt(k, p.list), entry)),
    ),
  ]);
}

function freeing(routine: string, kind: Kind) {
  return plan(routine, struct("LookasideFree", { list: u32, entry: u32 }), [
    step("the entry is put at the front of the list, or freed because the list is full", (k, p) => {
      const list = listAt(k, p.list);
      checkEntry(k, list, p.entry);
      list.TotalFrees += 1;
      if (list.ListHead_Depth < list.Depth) {
        push(k, list, p.entry);
        return done();
      }
      list.FreeMisses += 1;
      const entry = release(k, p.entry);
      if (list.Free !== 0) return call(list.Free, kind.free, [entry, ...(kind.passesList ? [p.list] : [])]);
      free(k, entry);
    }),
    step("the entry is freed", () => done()),
  ]);
}

/** Frees what is on the list; at a deletion the list is out of use after that. Entries that are out stay with the driver. */
function flushing(routine: string, kind: Kind, isDeletion: boolean) {
  return plan(routine, struct("LookasideFlush", { list: u32 }), [
    step("the next entry of the list is freed", (k, p) => {
      const list = listAt(k, p.list);
      const entry = release(k, pop(k, list));
      if (entry === 0) return goTo("the list is empty");
      if (list.Free !== 0) return call(list.Free, kind.free, [entry, ...(kind.passesList ? [p.list] : [])]);
      free(k, entry);
    }),
    step("there may be more", () => goTo("the next entry of the list is freed")),
    step("the list is empty", (k, p) => {
      if (!isDeletion) return;
      const active = k.objects.resolve(listAt(k, p.list).ListEntry_Flink, LookasideList);
      if (active !== undefined) k.objects.release(active);
      k.memory.clear(p.list, General.bytes);
    }),
  ]);
}

export const lookasideRoutines = [
  leaf("ExInitializeNPagedLookasideList", (k, list, allocate_, free_, flags, bytes = 0, tag = 0) =>
    initialize(k, list, allocate_, free_, flags & (RAISE | NX), bytes, tag),
  ),
  planned("ExAllocateFromNPagedLookasideList", allocating("ExAllocateFromNPagedLookasideList", KINDS.NPaged)),
  planned("ExFreeToNPagedLookasideList", freeing("ExFreeToNPagedLookasideList", KINDS.NPaged)),
  planned("ExDeleteNPagedLookasideList", flushing("ExDeleteNPagedLookasideList", KINDS.NPaged, true)),
  leaf("ExInitializeLookasideListEx", (k, list, allocate_, free_, type, flags = 0, bytes = 0, tag = 0) => {
    if ((type & ~POOL_TYPE_BITS) !== 0) return "STATUS_INVALID_PARAMETER_4";
    if (flags !== 0 && flags !== RAISE_ON_FAIL && flags !== FAIL_NO_RAISE) return "STATUS_INVALID_PARAMETER_5";
    const more = flags === RAISE_ON_FAIL ? RAISE : flags === FAIL_NO_RAISE ? FAIL : 0;
    initialize(k, list, allocate_, free_, type | more, bytes, tag);
    return "STATUS_SUCCESS";
  }),
  planned("ExAllocateFromLookasideListEx", allocating("ExAllocateFromLookasideListEx", KINDS.Ex)),
  planned("ExFreeToLookasideListEx", freeing("ExFreeToLookasideListEx", KINDS.Ex)),
  planned("ExFlushLookasideListEx", flushing("ExFlushLookasideListEx", KINDS.Ex, false)),
  planned("ExDeleteLookasideListEx", flushing("ExDeleteLookasideListEx", KINDS.Ex, true)),
];
