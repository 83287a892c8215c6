/** Where NET_BUFFER_LIST and NET_BUFFER structures come from, and that what was allocated together is freed together. */
import { circleWatch } from "../../kernel/driver-chains.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { blockAt } from "../../kernel/pool.ts";
import { NetBufferList, listsOf } from "../../ndis/chains.ts";
import { NetBuffer, netBuffersOf } from "../../ndis/net-buffers.ts";
import { BufferPool } from "../../ndis/objects.ts";
import { type Watcher, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

/** From a thread to the list that it asks context space for, and to how much. */
const askedFor = shadowTable("lists that get context space", 64);
const askedBytes = shadowTable("context space that is asked for", 64);
/** From a list to how much context space it got from NdisAllocateNetBufferListContext. */
const added = shadowTable("context space that was added to lists", 1024);

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
const poolOf = (k: Kernel, handle: number): BufferPool | undefined => k.objects.resolve(handle, BufferPool);
const isBlock = (k: Kernel, address: number): boolean => blockAt(k, address)?.state === "Allocated";

const isPooledList = (k: Kernel, list: number): boolean =>
  isBlock(k, list) && poolOf(k, NetBufferList.at(k.memory, list).NdisPoolHandle) !== undefined;
const isPooledBuffer = (k: Kernel, netBuffer: number): boolean =>
  poolOf(k, NetBuffer.at(k.memory, netBuffer).NdisPoolHandle) !== undefined;

const handedOver: Watcher[] = (["NdisSendNetBufferLists", "NdisMIndicateReceiveNetBufferLists"] as const).map((name) =>
  on(`call ${name}`, ({ k, report }, { args }) => {
    const complain = (what: string, address: number): void =>
      report({
        rule: "nbl-pool-allocated",
        message: `${name} was called with a ${what} at ${hex(address)} that is from no pool of NDIS. Only the allocation routines make such structures.`,
      });
    for (const list of listsOf(k, args[1] ?? 0)) {
      if (!isPooledList(k, list)) complain("NET_BUFFER_LIST", list);
      for (const netBuffer of netBuffersOf(k, list)) if (!isPooledBuffer(k, netBuffer)) complain("NET_BUFFER", netBuffer);
    }
  }),
);

/** The MDL is part of the block of a NET_BUFFER, right behind it. */
function isPreallocatedMdl(k: Kernel, mdl: number): boolean {
  if (mdl < NetBuffer.bytes || blockAt(k, mdl) !== undefined) return false;
  const { MdlChain, NdisPoolHandle } = NetBuffer.at(k.memory, mdl - NetBuffer.bytes);
  return MdlChain === mdl && poolOf(k, NdisPoolHandle) !== undefined;
}

/** How many NET_BUFFER structures of the list were allocated apart. Its chain may lead to some that are freed: it ends there. */
function separateBuffers(k: Kernel, list: number): number {
  let count = 0;
  const first = NetBufferList.at(k.memory, list).FirstNetBuffer;
  const watch = circleWatch("NET_BUFFER structures", first);
  for (let at = first; at !== 0 && isPooledBuffer(k, at); at = NetBuffer.at(k.memory, at).Next) {
    watch(at);
    if (isBlock(k, at)) count += 1;
  }
  return count;
}

export const listAllocationRules = ruleSet(
  ["nbl-pool-allocated", "nbl-paired-pool-flags", "nbl-paired-not-freed-separately", "nbl-context-free-first"],
  [
    ...handedOver,
    on("call NdisAllocateNetBufferAndNetBufferList", ({ k, report }, { args: [handle = 0] }) => {
      const pool = poolOf(k, handle);
      if (pool === undefined || (pool.allocatesNetBuffer && pool.dataBytes === 0)) return;
      const parameter = pool.allocatesNetBuffer ? `a DataSize of ${pool.dataBytes}` : "fAllocateNetBuffer FALSE";
      report({
        rule: "nbl-paired-pool-flags",
        message: `NdisAllocateNetBufferAndNetBufferList was called for a pool that was made with ${parameter}. It needs fAllocateNetBuffer TRUE and a DataSize of 0.`,
      });
    }),
    on("call NdisAllocateNetBufferMdlAndData", ({ k, report }, { args: [handle = 0] }) => {
      if (poolOf(k, handle)?.dataBytes !== 0) return;
      report({
        rule: "nbl-paired-pool-flags",
        message:
          "NdisAllocateNetBufferMdlAndData was called for a pool that was made with a DataSize of 0: there are no data that it could give.",
      });
    }),
    on("call NdisFreeNetBuffer", ({ k, report }, { args: [netBuffer = 0] }) => {
      if (netBuffer === 0 || blockAt(k, netBuffer) !== undefined || !isPooledBuffer(k, netBuffer)) return;
      report({
        rule: "nbl-paired-not-freed-separately",
        message: `NdisFreeNetBuffer was called for the NET_BUFFER at ${hex(netBuffer)}, which came with its list. NdisFreeNetBufferList frees both.`,
      });
    }),
    on("call NdisFreeMdl", ({ k, report }, { args: [mdl = 0] }) => {
      if (!isPreallocatedMdl(k, mdl)) return;
      report({
        rule: "nbl-paired-not-freed-separately",
        message: `NdisFreeMdl was called for the MDL at ${hex(mdl)}, which came with its NET_BUFFER. It is freed with that.`,
      });
    }),
    on("call NdisFreeNetBufferList", ({ k, report }, { args: [list = 0] }) => {
      if (!isBlock(k, list)) return;
      const left = separateBuffers(k, list);
      if (left === 0) return;
      report({
        rule: "nbl-paired-not-freed-separately",
        message: `List ${hex(list)} was freed with ${left} NET_BUFFER structures in it that were allocated apart. They are freed first, or taken out.`,
      });
    }),
    on("call NdisAllocateNetBufferListContext", ({ shadow }, { args: [list = 0, size = 0], thread }) => {
      shadow.set(askedFor, thread + 1, list);
      shadow.set(askedBytes, thread + 1, size & 0xffff);
    }),
    on("return NdisAllocateNetBufferListContext", ({ shadow }, { result, thread }) => {
      const list = shadow.get(askedFor, thread + 1);
      if (result === 0 && list !== 0) shadow.set(added, list, shadow.get(added, list) + shadow.get(askedBytes, thread + 1));
      shadow.set(askedFor, thread + 1, 0);
      shadow.set(askedBytes, thread + 1, 0);
    }),
    on("call NdisFreeNetBufferListContext", ({ shadow, report }, { args: [list = 0, size = 0] }) => {
      if (list === 0) return;
      const has = shadow.get(added, list);
      const freed = size & 0xffff;
      shadow.set(added, list, Math.max(0, has - freed));
      if (freed <= has) return;
      report({
        rule: "nbl-context-free-first",
        message: `NdisFreeNetBufferListContext was called for ${freed} bytes of list ${hex(list)}, and NdisAllocateNetBufferListContext gave it ${has}. Context space that came with the list is freed with it.`,
      });
    }),
    on("note list freed", ({ shadow, report }, { address: list }) => {
      const has = shadow.get(added, list);
      shadow.set(added, list, 0);
      if (has === 0) return;
      report({
        rule: "nbl-context-free-first",
        message: `List ${hex(list)} was freed with ${has} bytes of context space from NdisAllocateNetBufferListContext, which are freed before it.`,
      });
    }),
  ],
  [askedFor, askedBytes, added],
);
