/** Lists that are derived from others: freed as they were allocated, with out-of-band data that NDIS copied. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { NetBufferList, listsOf } from "../../ndis/chains.ts";
import { COPIED_SLOTS } from "../../ndis/list-information.ts";
import { type Watcher, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

/** From a thread to what it asks for, and from which list; from a derived list to the same. */
const asked = shadowTable("derived lists that are asked for", 64);
const askedFrom = shadowTable("lists that are derived from", 64);
const madeAs = shadowTable("how derived lists were made", 4096);
const original = shadowTable("originals of derived lists", 4096);

const USE_ORIGINAL_MDLS = constant("NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS");
const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

interface Kind {
  readonly allocate: string;
  readonly free: string;
  /** The argument that has to be the same: where it is when the list is made; when it is freed it is the second. */
  readonly index: number;
  readonly what: string;
  readonly mask: number;
}

const KINDS: readonly Kind[] = [
  {
    allocate: "NdisAllocateCloneNetBufferList",
    free: "NdisFreeCloneNetBufferList",
    index: 3,
    what: "flags",
    mask: USE_ORIGINAL_MDLS,
  },
  {
    allocate: "NdisAllocateFragmentNetBufferList",
    free: "NdisFreeFragmentNetBufferList",
    index: 5,
    what: "DataOffsetDelta",
    mask: 0x0fff_ffff,
  },
  {
    allocate: "NdisAllocateReassembledNetBufferList",
    free: "NdisFreeReassembledNetBufferList",
    index: 3,
    what: "DataOffsetDelta",
    mask: 0x0fff_ffff,
  },
];
/** One word for how a list was made; not 0. */
const wordOf = (kind: number, value: number): number => value * KINDS.length + kind + 1;
const kindOf = (word: number): Kind | undefined => KINDS[(word - 1) % KINDS.length];
const valueOf = (word: number): number => Math.floor((word - 1) / KINDS.length);

const lives: Watcher[] = KINDS.flatMap(({ allocate, free, index, what, mask }, kind) => [
  on(`call ${allocate}`, ({ shadow }, { args, thread }) => {
    shadow.set(asked, thread + 1, wordOf(kind, (args[index] ?? 0) & mask));
    shadow.set(askedFrom, thread + 1, args[0] ?? 0);
  }),
  on(`return ${allocate}`, ({ shadow }, { result: list, thread }) => {
    if (list !== 0) {
      shadow.set(madeAs, list, shadow.get(asked, thread + 1));
      shadow.set(original, list, shadow.get(askedFrom, thread + 1));
    }
    shadow.set(asked, thread + 1, 0);
    shadow.set(askedFrom, thread + 1, 0);
  }),
  on(`call ${free}`, ({ shadow, report }, { args: [list = 0, given = 0] }) => {
    const word = list === 0 ? 0 : shadow.get(madeAs, list);
    if (list !== 0) shadow.set(madeAs, list, 0);
    const made = kindOf(word);
    if (word === 0 || made?.free !== free) {
      report({
        rule: "nbl-clone-flags-match",
        message: `${free} was called for list ${hex(list)}, which ${made === undefined ? `is not from ${allocate}` : `${made.allocate} made`}.`,
      });
    } else if (valueOf(word) !== (given & mask)) {
      report({
        rule: "nbl-clone-flags-match",
        message: `${free} was called with the ${what} ${given & mask} for list ${hex(list)}, which was allocated with ${valueOf(word)}. Both have to be the same.`,
      });
    }
  }),
]);

/** Some out-of-band data is the original's, though no routine of NDIS copied it. */
function isCopiedByHand(k: Kernel, list: number, from: number): boolean {
  const start = NetBufferList.offset("NetBufferListInfo");
  return COPIED_SLOTS.some((slot) => {
    const value = k.memory.readU32(list + start + slot * 4);
    return value !== 0 && value === k.memory.readU32(from + start + slot * 4);
  });
}

const information: Watcher[] = [
  ...(["NdisCopySendNetBufferListInfo", "NdisCopyReceiveNetBufferListInfo"] as const).map((name) =>
    on(`call ${name}`, ({ shadow }, { args: [list = 0] }) => {
      if (list !== 0) shadow.set(original, list, 0);
    }),
  ),
  ...(["NdisSendNetBufferLists", "NdisMIndicateReceiveNetBufferLists"] as const).map((name) =>
    on(`call ${name}`, ({ k, shadow, report }, { args }) => {
      for (const list of listsOf(k, args[1] ?? 0)) {
        const from = shadow.get(original, list);
        if (from === 0 || !isCopiedByHand(k, list, from)) continue;
        report({
          rule: "nbl-info-copy-functions",
          message: `${name} was called with list ${hex(list)}, whose out-of-band data is that of list ${hex(from)}, from which it was derived, but no routine of NDIS copied it: what is NDIS's own in it is missing.`,
        });
      }
    }),
  ),
];

export const derivedListRules = ruleSet(
  ["nbl-clone-flags-match", "nbl-info-copy-functions"],
  [
    ...lives,
    ...information,
    on("note list freed", ({ shadow, report }, { address: list }) => {
      const made = kindOf(shadow.get(madeAs, list));
      shadow.set(madeAs, list, 0);
      shadow.set(original, list, 0);
      if (made === undefined) return;
      report({
        rule: "nbl-clone-flags-match",
        message: `List ${hex(list)} was freed as if it were from NdisAllocateNetBufferList. ${made.allocate} made it, and ${made.free} frees it with its NET_BUFFER structures and MDLs.`,
      });
    }),
  ],
  [asked, askedFrom, madeAs, original],
);
