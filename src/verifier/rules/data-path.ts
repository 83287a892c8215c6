/** What passes on the data path, and how: final states of sends, lists that are indicated, the flag about the IRQL, how lists are allocated. */
import { constant, statusName } from "../../contract/index.ts";
import { NetBufferList, listsOf } from "../../ndis/chains.ts";
import { type Watcher, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

/** From a thread to the chain that a protocol got with the RESOURCES flag in its innermost receive handler there, and to a sum over it. */
const lent = shadowTable("chains indicated with RESOURCES", 64);
const lentSum = shadowTable("sums over chains indicated with RESOURCES", 64);

const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");
/** What the page of NdisMSendNetBufferListsComplete lists, and what the page of the hardware reset demands for sends that a reset drops. */
const FINAL = [
  "NDIS_STATUS_SUCCESS",
  "NDIS_STATUS_INVALID_LENGTH",
  "NDIS_STATUS_RESOURCES",
  "NDIS_STATUS_PAUSED",
  "NDIS_STATUS_SEND_ABORTED",
  "NDIS_STATUS_RESET_IN_PROGRESS",
  "NDIS_STATUS_FAILURE",
  "NDIS_STATUS_REQUEST_ABORTED",
] as const;
const FINAL_VALUES: ReadonlySet<number> = new Set(FINAL.map((name) => constant(name) >>> 0));
/** Bytes: context and backfill of a list come in multiples of MEMORY_ALLOCATION_ALIGNMENT, which is 8 for 32-bit Windows. */
const ALIGNMENT = 8;
const POINTER_BYTES = 4;

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/** Routines with a flag that says that the caller is at DISPATCH_LEVEL, and which of their arguments has it. */
const FLAGGED = [
  ["NdisSendNetBufferLists", 3, "NDIS_SEND_FLAGS_DISPATCH_LEVEL"],
  ["NdisMSendNetBufferListsComplete", 2, "NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL"],
  ["NdisMIndicateReceiveNetBufferLists", 4, "NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL"],
  ["NdisReturnNetBufferLists", 2, "NDIS_RETURN_FLAGS_DISPATCH_LEVEL"],
] as const;

const flagged: Watcher[] = FLAGGED.map(([name, index, flag]) => {
  const mask = constant(flag);
  return on(`call ${name}`, ({ report }, { args, irql }) => {
    if (((args[index] ?? 0) & mask) === 0 || irql >= 2) return;
    report({
      rule: "send-dispatch-flag",
      message: `${name} was called with ${flag} below DISPATCH_LEVEL. Those who get the flag rely on it, and do not ask for the IRQL.`,
    });
  });
});

/** Allocators that are given an MDL chain, and where it is among their arguments; offset and length follow it. */
const GIVEN_MDL = [
  ["NdisAllocateNetBuffer", 1],
  ["NdisAllocateNetBufferAndNetBufferList", 3],
] as const;

/** Allocators of context space: where its size is among their arguments, the backfill behind it, and of what both are multiples. */
const GIVEN_CONTEXT = [
  ["NdisAllocateNetBufferList", 1, ALIGNMENT],
  ["NdisAllocateNetBufferAndNetBufferList", 1, ALIGNMENT],
  ["NdisAllocateNetBufferListContext", 1, POINTER_BYTES],
] as const;

const allocations: Watcher[] = [
  ...GIVEN_MDL.map(([name, index]) =>
    on(`call ${name}`, ({ report }, { args }) => {
      const [mdl = 0, offset = 0, length = 0] = args.slice(index);
      if (mdl !== 0 || (offset === 0 && length === 0)) return;
      report({
        rule: "nbl-null-mdl-zero-offsets",
        message: `${name} was called without an MDL chain, with a data offset of ${offset} and a data length of ${length}. Without MDLs there is no data: both are zero.`,
      });
    }),
  ),
  ...GIVEN_CONTEXT.map(([name, index, unit]) =>
    on(`call ${name}`, ({ report }, { args }) => {
      const [size = 0, backfill = 0] = args.slice(index).map((value) => value & 0xffff);
      if (size % unit === 0 && backfill % unit === 0) return;
      report({
        rule: "nbl-context-alignment",
        message: `${name} was called for a context of ${size} bytes with ${backfill} bytes in front of it. Both have to be multiples of ${unit}.`,
      });
    }),
  ),
];

/** What a list looks like from outside: its address and the one behind it, so that an order counts. */
function sumOf(lists: readonly number[]): number {
  return (lists.reduce((sum, list) => (Math.imul(sum, 31) + list) >>> 0, 1) | 1) >>> 0;
}

export const dataPathRules = ruleSet(
  [
    "send-status-values",
    "send-dispatch-flag",
    "recv-no-resources-status-pending",
    "recv-resources-restore-list",
    "nbl-null-mdl-zero-offsets",
    "nbl-context-alignment",
  ],
  [
    ...flagged,
    ...allocations,
    on("call NdisMSendNetBufferListsComplete", ({ k, report }, { args }) => {
      for (const list of listsOf(k, args[1] ?? 0)) {
        const status = NetBufferList.at(k.memory, list).Status >>> 0;
        if (FINAL_VALUES.has(status)) continue;
        report({
          rule: "send-status-values",
          message: `List ${hex(list)} was completed with the status ${statusName(status) ?? hex(status)}. A send ends with one of ${FINAL.join(", ")}.`,
        });
      }
    }),
    on("call NdisMIndicateReceiveNetBufferLists", ({ k, report }, { args }) => {
      const lists = listsOf(k, args[1] ?? 0);
      for (const list of lists) {
        const { FirstNetBuffer } = NetBufferList.at(k.memory, list);
        if (FirstNetBuffer !== 0) continue;
        report({
          rule: "recv-no-resources-status-pending",
          message: `List ${hex(list)} was indicated without a NET_BUFFER: there is nothing in it to receive.`,
        });
      }
      if (lists.length === (args[3] ?? 0)) return;
      report({
        rule: "recv-no-resources-status-pending",
        message: `NdisMIndicateReceiveNetBufferLists was called with a chain of ${lists.length} lists and a count of ${args[3] ?? 0}.`,
      });
    }),
    on("handler ProtocolReceiveNetBufferLists", ({ k, shadow }, { args, thread }) => {
      const [, first = 0, , , flags = 0] = args;
      const isLent = (flags & RESOURCES) !== 0;
      shadow.set(lent, thread + 1, isLent ? first : 0);
      shadow.set(lentSum, thread + 1, isLent ? sumOf(listsOf(k, first)) : 0);
    }),
    on("handler return ProtocolReceiveNetBufferLists", ({ k, shadow, report }, { thread, returning, target }) => {
      const first = shadow.get(lent, thread + 1);
      const sum = shadow.get(lentSum, thread + 1);
      shadow.set(lent, thread + 1, 0);
      shadow.set(lentSum, thread + 1, 0);
      if (first === 0 || sumOf(listsOf(k, first)) === sum) return;
      report({
        rule: "recv-resources-restore-list",
        message: `ProtocolReceiveNetBufferLists returned, and the chain from list ${hex(first)} on is not as it was. With NDIS_RECEIVE_FLAGS_RESOURCES it has to be.`,
        driver: returning,
        target,
      });
    }),
  ],
  [lent, lentSum],
);
