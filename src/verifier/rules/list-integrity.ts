/** What the owner of a NET_BUFFER_LIST that did not make it leaves alone: its NET_BUFFER chain, its SourceHandle, its MDLs. */
import { listsOf, sourceOf } from "../../ndis/chains.ts";
import { netBuffersOf } from "../../ndis/net-buffers.ts";
import { constant } from "../../contract/index.ts";
import { type RuleContext, type Watcher, on, ruleSet } from "../rule.ts";
import { type ShadowTable, shadowTable } from "../shadow.ts";

/** From a list that its originator has given away to a sum over its NET_BUFFER chain, and to its SourceHandle; on the way down, and up. */
const sentSum = shadowTable("sums over sent lists", 4096);
const sentSource = shadowTable("sources of sent lists", 4096);
const receivedSum = shadowTable("sums over received lists", 4096);
const receivedSource = shadowTable("sources of received lists", 4096);
/** From a thread to the first of the lists that a protocol was lent in its innermost receive handler there. */
const lent = shadowTable("first lists indicated with RESOURCES", 64);
/** NET_BUFFER structures of received lists whose data start the protocol has moved back. */
const retreated = shadowTable("received NET_BUFFER structures with more data in front", 1024);

const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");
const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/** A sum over the addresses in their order; not 0. */
const sumOf = (addresses: readonly number[]): number =>
  (addresses.reduce((sum, address) => (Math.imul(sum, 31) + address) >>> 0, 1) | 1) >>> 0;

interface Way {
  readonly sum: ShadowTable;
  readonly source: ShadowTable;
}
const DOWN: Way = { sum: sentSum, source: sentSource };
const UP: Way = { sum: receivedSum, source: receivedSource };

function remember({ k, shadow }: RuleContext, first: number, way: Way): void {
  for (const list of listsOf(k, first)) {
    shadow.set(way.sum, list, sumOf(netBuffersOf(k, list)));
    shadow.set(way.source, list, sourceOf(k, list));
  }
}

/** The lists go back to their originator: they have to be as they came. */
function compare(
  { k, shadow, report }: RuleContext,
  first: number,
  way: Way,
  by: { driver?: number; target?: number } = {},
): void {
  for (const list of listsOf(k, first)) {
    const sum = shadow.get(way.sum, list);
    const source = shadow.get(way.source, list);
    shadow.set(way.sum, list, 0);
    shadow.set(way.source, list, 0);
    if (sum !== 0 && sumOf(netBuffersOf(k, list)) !== sum) {
      report({
        rule: "nbl-nb-stay-with-nbl",
        message: `List ${hex(list)} goes back with other NET_BUFFER structures than it came with, or in another order. Only its originator changes that chain.`,
        ...by,
      });
    }
    if (source !== 0 && sourceOf(k, list) !== source) {
      report({
        rule: "nbl-sourcehandle-set",
        message: `List ${hex(list)} goes back with the SourceHandle ${hex(sourceOf(k, list))}, and came with ${hex(source)}. Only its originator writes it.`,
        ...by,
      });
    }
  }
}

const handedOver: Watcher[] = (["NdisSendNetBufferLists", "NdisMIndicateReceiveNetBufferLists"] as const).map((name) =>
  on(`call ${name}`, ({ k, report }, { args: [handle = 0, first = 0] }) => {
    for (const list of listsOf(k, first)) {
      if (sourceOf(k, list) === handle) continue;
      report({
        rule: "nbl-sourcehandle-set",
        message: `${name} was called with list ${hex(list)}, whose SourceHandle is ${hex(sourceOf(k, list))}. It has to be the handle of the call, ${hex(handle)}.`,
      });
    }
  }),
);

const isReceived = ({ k, shadow }: RuleContext, netBuffer: number): boolean =>
  shadow.entries(receivedSum).some(([list]) => netBuffersOf(k, list).includes(netBuffer));

const retreats: Watcher[] = [
  on("call NdisRetreatNetBufferDataStart", (context, { args: [netBuffer = 0] }) => {
    if (netBuffer !== 0 && isReceived(context, netBuffer)) context.shadow.set(retreated, netBuffer, 1);
  }),
  on("call NdisRetreatNetBufferListDataStart", ({ k, shadow }, { args: [list = 0] }) => {
    if (list === 0 || shadow.get(receivedSum, list) === 0) return;
    for (const netBuffer of netBuffersOf(k, list)) shadow.set(retreated, netBuffer, 1);
  }),
];

/** What the protocol itself put in front it may free again. */
function judgeAdvance({ shadow, report }: RuleContext, routine: string, netBuffers: readonly number[], freesMdls: boolean): void {
  const others = netBuffers.filter((each) => shadow.get(retreated, each) === 0);
  for (const netBuffer of netBuffers) shadow.set(retreated, netBuffer, 0);
  if (!freesMdls || others.length === 0) return;
  report({
    rule: "nbl-advance-receive-keep-mdls",
    message: `${routine} was called with FreeMdl TRUE for a list that was received. The MDL chain is its originator's: to step over a header FreeMdl is FALSE.`,
  });
}

const advances: Watcher[] = [
  on("call NdisAdvanceNetBufferDataStart", (context, { args: [netBuffer = 0, , freeMdl = 0] }) => {
    if (netBuffer !== 0 && isReceived(context, netBuffer))
      judgeAdvance(context, "NdisAdvanceNetBufferDataStart", [netBuffer], (freeMdl & 0xff) !== 0);
  }),
  on("call NdisAdvanceNetBufferListDataStart", (context, { args: [list = 0, , freeMdl = 0] }) => {
    if (list !== 0 && context.shadow.get(receivedSum, list) !== 0) {
      const netBuffers = netBuffersOf(context.k, list);
      judgeAdvance(context, "NdisAdvanceNetBufferListDataStart", netBuffers, (freeMdl & 0xff) !== 0);
    }
  }),
];

const forget = ({ k, shadow }: RuleContext, first: number): void => {
  for (const list of listsOf(k, first)) for (const netBuffer of netBuffersOf(k, list)) shadow.set(retreated, netBuffer, 0);
};

export const listIntegrityRules = ruleSet(
  ["nbl-nb-stay-with-nbl", "nbl-sourcehandle-set", "nbl-advance-receive-keep-mdls"],
  [
    ...handedOver,
    ...retreats,
    ...advances,
    on("handler MiniportSendNetBufferLists", (context, { args }) => remember(context, args[1] ?? 0, DOWN)),
    on("call NdisMSendNetBufferListsComplete", (context, { args }) => compare(context, args[1] ?? 0, DOWN)),
    on("handler ProtocolReceiveNetBufferLists", (context, { args, thread }) => {
      const [, first = 0, , , flags = 0] = args;
      remember(context, first, UP);
      context.shadow.set(lent, thread + 1, (flags & RESOURCES) === 0 ? 0 : first);
    }),
    on("handler return ProtocolReceiveNetBufferLists", (context, { thread, returning, target }) => {
      const first = context.shadow.get(lent, thread + 1);
      context.shadow.set(lent, thread + 1, 0);
      if (first === 0) return;
      compare(context, first, UP, { driver: returning, target });
      forget(context, first);
    }),
    on("call NdisReturnNetBufferLists", (context, { args }) => {
      compare(context, args[1] ?? 0, UP);
      forget(context, args[1] ?? 0);
    }),
    on("note list freed", ({ shadow }, { address: list }) => {
      for (const table of [sentSum, sentSource, receivedSum, receivedSource]) shadow.set(table, list, 0);
    }),
  ],
  [sentSum, sentSource, receivedSum, receivedSource, lent, retreated],
);
