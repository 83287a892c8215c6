/** How leaks are told: what was left, how much of it, and how it can still be reached. */
import type { Left } from "./left-things.ts";

/** What routines other than those of pool allocate, and what gives it back. */
const NOUNS: Readonly<Record<string, readonly [noun: string, undo: string]>> = {
  NdisAllocateCloneOidRequest: ["clone(s) of OID requests", "NdisFreeCloneOidRequest"],
  NdisAllocateNetBufferList: ["NET_BUFFER_LIST(s)", "NdisFreeNetBufferList"],
  NdisAllocateNetBufferAndNetBufferList: ["NET_BUFFER_LIST(s)", "NdisFreeNetBufferList"],
  NdisAllocateCloneNetBufferList: ["cloned NET_BUFFER_LIST(s)", "NdisFreeCloneNetBufferList"],
  NdisAllocateFragmentNetBufferList: ["fragment NET_BUFFER_LIST(s)", "NdisFreeFragmentNetBufferList"],
  NdisAllocateReassembledNetBufferList: ["reassembled NET_BUFFER_LIST(s)", "NdisFreeReassembledNetBufferList"],
  NdisAllocateNetBuffer: ["NET_BUFFER(s)", "NdisFreeNetBuffer"],
  NdisAllocateNetBufferMdlAndData: ["NET_BUFFER(s)", "NdisFreeNetBuffer"],
  NdisAllocateNetBufferListContext: ["context(s) of NET_BUFFER_LISTs", "NdisFreeNetBufferListContext"],
  NdisAllocateMdl: ["MDL(s)", "NdisFreeMdl"],
  IoAllocateMdl: ["MDL(s)", "IoFreeMdl"],
  IoAllocateIrp: ["IRP(s)", "IoFreeIrp"],
  IoAllocateWorkItem: ["work item(s)", "IoFreeWorkItem"],
  ExAllocateTimer: ["timer(s)", "ExDeleteTimer"],
  NdisAllocateRWLock: ["read/write lock(s)", "NdisFreeRWLock"],
  NdisAllocateGenericObject: ["generic object(s)", "NdisFreeGenericObject"],
  NdisMAllocateNetBufferSGList: ["scatter/gather list(s)", "NdisMFreeNetBufferSGList"],
  ExAllocateCacheAwareRundownProtection: ["cache-aware run-down reference(s)", "ExFreeCacheAwareRundownProtection"],
  ExAllocateFromNPagedLookasideList: ["entries of a lookaside list", "ExFreeToNPagedLookasideList"],
  ExAllocateFromLookasideListEx: ["entries of a lookaside list", "ExFreeToLookasideListEx"],
  MmAllocateContiguousMemory: ["range(s) of contiguous memory", "MmFreeContiguousMemory"],
  MmAllocateContiguousMemorySpecifyCache: ["range(s) of contiguous memory", "MmFreeContiguousMemorySpecifyCache"],
};

const hex = (address: number): string => `0x${address.toString(16)}`;

/** How many tags of a leak are named. */
const TAGS = 6;

/** The memory that a driver left, and by `routine`, if all of it came from there. */
export function memoryText(left: readonly Left[], routine: string | undefined, remark: string): string {
  const [noun, undo] = NOUNS[routine ?? ""] ?? ["block(s)", ""];
  const tags = [...new Set(left.map(({ tag = "" }) => `'${tag}'`))];
  const more = tags.length > TAGS ? ` and ${tags.length - TAGS} more` : "";
  const tagged = `with ${tags.length === 1 ? "tag" : "tags"} ${tags.slice(0, TAGS).join(", ")}${more}`;
  const bytes = left.reduce((sum, each) => sum + each.bytes, 0);
  const first = hex(left[0]?.address ?? 0);
  const how = undo === "" ? "" : ` ${undo} was not called for them.`;
  return `The driver is unloaded, and ${left.length} ${noun} ${tagged} (${bytes} bytes) that it allocated are not freed; the first is at ${first}.${how}${remark}${reachText(left)}`;
}

/** Sentences about what still leads to the things, and to how many of them nothing does. */
export function reachText(left: readonly Left[]): string {
  const known = left.filter(({ reach }) => reach !== undefined);
  const forgotten = known.filter(({ reach }) => reach?.from !== undefined);
  const lost = known.filter(({ reach }) => reach?.from === undefined && reach?.isBehindAnother !== true);
  const behind = known.length - forgotten.length - lost.length;
  const of = (count: number): string => (known.length === 1 ? "it" : count === known.length ? "them" : `${count} of them`);
  const [first] = forgotten;
  const exact = forgotten.find(({ reach }) => reach?.isInterior === false);
  const interior = first !== undefined && exact === undefined ? ", though not to its beginning" : "";
  return [
    first === undefined
      ? ""
      : ` Still pointed to, and so forgotten rather than lost: ${of(forgotten.length)}, from ${(exact ?? first).reach?.from ?? ""}${interior}.`,
    lost.length === 0 ? "" : ` Nothing points to ${of(lost.length)} any more.`,
    behind === 0 ? "" : ` Only memory that is lost itself points to ${of(behind)}.`,
  ].join("");
}

/** How often each place took or gave back: "a.c:10 (2), a.c:40 (1)". */
export function countsText(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([place, count]) => `${place} (${count})`).join(", ");
}
