/**
 * Interlocked operations with a spin lock, on numbers and lists, and sequenced lists, which need none. One that takes a lock waits while another
 * has it, and lets nobody in between: it is one step.
 *
 * Pages: nf-wdm-exinterlockedinsertheadlist and its neighbours, nf-ndis-ndisinterlockedinsertheadlist, nf-wdm-initializeslisthead.
 */
import type { Kernel } from "./kernel.ts";
import { type WaitRoutine, leaf, local, waiting } from "./routine.ts";
import { isFree, raiseToDispatch, spinLockAt } from "./spin-locks.ts";
import { windowsStruct } from "./windows.ts";

const ListEntry = windowsStruct("LIST_ENTRY");
const SListHeader = windowsStruct("SLIST_HEADER");

type Body = (k: Kernel, ...args: number[]) => number | void;

/** Done while nobody has the spin lock that the argument `lock` is; `names` are those that it is declared with. */
function locked<const N extends string>(names: readonly N[], lock: number, body: Body): WaitRoutine<N>[] {
  return names.map((name) =>
    waiting(name, {
      before: raiseToDispatch,
      ready: (k, ...args) => isFree(k, args[lock] ?? 0),
      awaits: (k, ...args) => spinLockAt(k, args[lock] ?? 0),
      then: (k, irql, _timedOut, ...args) => {
        if (irql !== k.current.irql) k.scheduler.setIrql(irql);
        // As if the lock were acquired and released around it.
        k.ordering.acquire(args[lock] ?? 0);
        k.ordering.release(args[lock] ?? 0);
        return body(k, ...args);
      },
    }),
  );
}

function link(k: Kernel, previous: number, entry: number, next: number): void {
  const { memory } = k;
  for (const each of [previous, entry, next]) k.ordering.access(each, ListEntry.bytes, true);
  const inserted = ListEntry.at(memory, entry);
  inserted.Flink = next;
  inserted.Blink = previous;
  ListEntry.at(memory, previous).Flink = entry;
  ListEntry.at(memory, next).Blink = entry;
}

/** The answer is the entry that was first; 0: the list was empty. */
function insertHead(k: Kernel, head = 0, entry = 0): number {
  const first = ListEntry.at(k.memory, head).Flink;
  link(k, head, entry, first);
  return first === head ? 0 : first;
}

/** The answer is the entry that was last; 0: the list was empty. */
function insertTail(k: Kernel, head = 0, entry = 0): number {
  const last = ListEntry.at(k.memory, head).Blink;
  link(k, last, entry, head);
  return last === head ? 0 : last;
}

function removeHead(k: Kernel, head = 0): number {
  const first = ListEntry.at(k.memory, head).Flink;
  if (first === head) return 0;
  const next = ListEntry.at(k.memory, first).Flink;
  ListEntry.at(k.memory, head).Flink = next;
  ListEntry.at(k.memory, next).Blink = head;
  return first;
}

/** A singly linked list: each word is the address of the next. The answer is the entry that was first. */
function push(k: Kernel, head = 0, entry = 0): number {
  const first = k.memory.readU32(head);
  k.memory.writeU32(entry, first);
  k.memory.writeU32(head, entry);
  return first;
}

function pop(k: Kernel, head = 0): number {
  const first = k.memory.readU32(head);
  if (first !== 0) k.memory.writeU32(head, k.memory.readU32(first));
  return first;
}

function addUlong(k: Kernel, addend = 0, increment = 0): number {
  const old = k.memory.readU32(addend);
  k.memory.writeU32(addend, (old + increment) >>> 0);
  return old;
}

/** Adds 32 unsigned bits to 64. */
function addStatistic(k: Kernel, addend: number, increment: number): void {
  const { data } = k.memory;
  data.setBigInt64(addend, data.getBigInt64(addend, true) + BigInt(increment), true);
}

/** Both large integers come as pointers: the answer's, and that of a copy of the increment. */
function addLarge(k: Kernel, result = 0, addend = 0, increment = 0): void {
  const { data } = k.memory;
  const old = data.getBigInt64(addend, true);
  data.setBigInt64(addend, old + data.getBigInt64(increment, true), true);
  data.setBigInt64(result, old, true);
}

const sequencedLists = [
  local("InitializeSListHead", (k, head) => k.memory.clear(head, SListHeader.bytes)),
  leaf("InterlockedPushEntrySList", (k, head, entry) => {
    k.ordering.interlocked(head, SListHeader.bytes);
    const first = push(k, head, entry);
    SListHeader.at(k.memory, head).Depth += 1;
    return first;
  }),
  leaf("InterlockedPopEntrySList", (k, head) => {
    k.ordering.interlocked(head, SListHeader.bytes);
    const first = pop(k, head);
    if (first !== 0) SListHeader.at(k.memory, head).Depth -= 1;
    return first;
  }),
  leaf("InterlockedFlushSList", (k, head) => {
    k.ordering.interlocked(head, SListHeader.bytes);
    const first = k.memory.readU32(head);
    k.memory.clear(head, SListHeader.bytes);
    return first;
  }),
  leaf("QueryDepthSList", (k, head) => SListHeader.at(k.memory, head).Depth),
];

export const interlockedListRoutines = [
  ...locked(["ExInterlockedAddUlong", "NdisInterlockedAddUlong"], 2, addUlong),
  ...locked(["ExInterlockedAddLargeInteger"], 3, addLarge),
  ...locked(["ExInterlockedInsertHeadList", "NdisInterlockedInsertHeadList"], 2, insertHead),
  ...locked(["ExInterlockedInsertTailList", "NdisInterlockedInsertTailList"], 2, insertTail),
  ...locked(["ExInterlockedRemoveHeadList", "NdisInterlockedRemoveHeadList"], 1, removeHead),
  ...locked(["ExInterlockedPushEntryList", "NdisInterlockedPushEntryList"], 2, push),
  ...locked(["ExInterlockedPopEntryList", "NdisInterlockedPopEntryList"], 1, pop),
  leaf("ExInterlockedAddLargeStatistic", addStatistic),
  leaf("NdisInterlockedAddLargeStatistic", addStatistic),
  ...sequencedLists,
];
