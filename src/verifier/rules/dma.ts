/** Rules of DMA: a channel before what it is for, lists and shared memory given back as they were taken, and a failure logged. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { NetBufferList, listsOf } from "../../ndis/chains.ts";
import { NetBuffer } from "../../ndis/net-buffers.ts";
import { Adapter, ScatterGatherDma } from "../../ndis/objects.ts";
import { SharedMemory } from "../../ndis/resource-objects.ts";
import type { Thing } from "../origins.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";
import { isInside } from "./binding.ts";

const ROWS = 512;
/** From a NET_BUFFER that has a scatter/gather list to that list. */
const listed = shadowTable("net buffers with a scatter/gather list", ROWS);
/** From a thread to where NdisMAllocateSharedMemory writes the address. */
const asked = shadowTable("addresses of shared memory that are asked for", 32);
/** From an adapter's handle to 1: an allocation in its initialization failed, and nothing was logged since. */
const unlogged = shadowTable("failed allocations that are not logged", 16);

const BUS_MASTER = constant("NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER");

const channelsOf = (k: Kernel, adapter: number): Thing[] =>
  k.objects
    .all(ScatterGatherDma)
    .filter((dma) => dma.adapter?.address === adapter)
    .map(({ address }) => ({ address }));
const sharedOf = (k: Kernel, adapter: number): Thing[] =>
  k.objects
    .all(SharedMemory)
    .filter(({ owner }) => k.objects.resolve(owner, Adapter)?.address === adapter)
    .map(({ address }) => ({ address }));

/** What the adapter has when it must have nothing. */
function judgeLeft({ k, report }: RuleContext, address: number, when: string, handler: "initialize" | "halt"): void {
  const { miniport } = Adapter.at(k.memory, address);
  const of = { driver: miniport?.slot ?? -1, target: miniport?.[handler] ?? 0 };
  const channels = channelsOf(k, address);
  if (channels.length > 0) {
    const message = `${when}, and ${channels.length} scatter/gather DMA channel(s) of the adapter are registered. NdisMDeregisterScatterGatherDma has to come first.`;
    report({ rule: "dma-register-first", message, things: channels, ...of });
  }
  const shared = sharedOf(k, address);
  if (shared.length > 0) {
    const message = `${when}, and ${shared.length} block(s) of shared memory of the adapter are not freed.`;
    report({ rule: "dma-shared-memory-free-exact", message, things: shared, ...of });
  }
}

export const dmaRules = ruleSet(
  [
    "dma-register-first",
    "dma-sglist-free",
    "dma-sglist-buffer-not-list",
    "dma-shared-memory-free-exact",
    "NdisMFreeSharedMemory",
    "WriteErrorLog",
  ],
  [
    on("call NdisMRegisterScatterGatherDma", ({ k, report }, { args: [handle = 0] }) => {
      const adapter = k.objects.resolve(handle, Adapter);
      if (adapter === undefined || (adapter.hasRegistrationAttributes && (adapter.attributeFlags & BUS_MASTER) !== 0)) return;
      report({
        rule: "dma-register-first",
        message:
          "NdisMRegisterScatterGatherDma was called before NdisMSetMiniportAttributes had said that the device is a bus master.",
      });
    }),
    on("call NdisMAllocateSharedMemory", ({ k, shadow, report }, { args: [handle = 0, , , address = 0] }) => {
      shadow.set(asked, k.current.address, address);
      const adapter = k.objects.resolve(handle, Adapter);
      if (adapter === undefined || channelsOf(k, adapter.address).length > 0) return;
      report({
        rule: "dma-register-first",
        message:
          "NdisMAllocateSharedMemory was called, but no DMA channel of the adapter is registered. NdisMRegisterScatterGatherDma has to come first.",
      });
    }),
    on("return NdisMAllocateSharedMemory", ({ k, shadow }) => {
      const variable = shadow.get(asked, k.current.address);
      shadow.set(asked, k.current.address, 0);
      if (variable === 0 || k.memory.readU32(variable) !== 0 || !isInside(k, ["MiniportInitializeEx"])) return;
      const adapter = k.objects
        .all(Adapter)
        .find(({ state, miniport }) => state === "Initializing" && miniport?.slot === k.driverOfThread(k.current));
      if (adapter !== undefined) shadow.set(unlogged, k.objects.handleOf(adapter), 1);
    }),
    on("call NdisWriteErrorLogEntry", ({ shadow }, { args: [handle = 0] }) => {
      if (handle !== 0) shadow.set(unlogged, handle, 0);
    }),
    on("note scatter/gather list built", ({ k, shadow }, { address, value: netBuffer }) => {
      // A driver that has more lists than can be remembered is judged by the first.
      const lists = k.objects.all(ScatterGatherDma).reduce((sum, { outstanding }) => sum + outstanding, 0);
      if (lists < ROWS / 2) shadow.set(listed, netBuffer, address);
    }),
    on("call NdisMFreeNetBufferSGList", ({ shadow, report }, { args: [, list = 0, netBuffer = 0] }) => {
      const built = netBuffer === 0 ? 0 : shadow.get(listed, netBuffer);
      if (built === 0) return;
      shadow.set(listed, netBuffer, 0);
      if (list === built) return;
      report({
        rule: "dma-sglist-buffer-not-list",
        message: `NdisMFreeNetBufferSGList was called with the list 0x${list.toString(16)}, but that of the NET_BUFFER is at 0x${built.toString(16)}: where MiniportProcessSGList was told, which need not be the buffer that the miniport supplied.`,
      });
    }),
    on("call NdisMSendNetBufferListsComplete", ({ k, shadow, report }, { args: [, lists = 0] }) => {
      if (k.objects.all(ScatterGatherDma).length === 0) return;
      for (const list of listsOf(k, lists)) {
        const { FirstNetBuffer } = NetBufferList.at(k.memory, list);
        for (let address = FirstNetBuffer; address !== 0; address = NetBuffer.at(k.memory, address).Next) {
          if (shadow.get(listed, address) === 0) continue;
          report({
            rule: "dma-sglist-free",
            message: `A send was completed while the scatter/gather list of its NET_BUFFER at 0x${address.toString(16)} is not freed.`,
          });
        }
      }
    }),
    on("note DMA channel released with lists", ({ report }, { value: count }) => {
      report({
        rule: "dma-sglist-free",
        message: `NdisMDeregisterScatterGatherDma was called while ${count} scatter/gather list(s) of the channel are not freed.`,
      });
    }),
    on("call NdisMFreeSharedMemory", ({ k, report }) => {
      if (!isInside(k, ["MiniportShutdownEx"])) return;
      report({
        rule: "NdisMFreeSharedMemory",
        message:
          "NdisMFreeSharedMemory was called inside MiniportShutdownEx. What is allocated stays when the system shuts down.",
      });
    }),
    on("note initialize returned", (context, { address, value: status }) => {
      const { k, shadow, report } = context;
      const adapter = Adapter.at(k.memory, address);
      const handle = k.objects.handleOf(adapter);
      const isUnlogged = shadow.get(unlogged, handle) !== 0;
      shadow.set(unlogged, handle, 0);
      if (isUnlogged) {
        report({
          rule: "WriteErrorLog",
          message:
            "An allocation of shared memory failed inside MiniportInitializeEx, which returned without having called NdisWriteErrorLogEntry.",
          driver: adapter.miniport?.slot ?? -1,
          target: adapter.miniport?.initialize ?? 0,
        });
      }
      if (status !== 0) judgeLeft(context, address, "MiniportInitializeEx failed", "initialize");
    }),
    on("note halt returned", (context, { address }) => judgeLeft(context, address, "MiniportHaltEx returned", "halt")),
  ],
  [listed, asked, unlogged],
);
