/** What a driver still has when it is unloaded: memory by tag, pools, timers, work items. */
import { CallbackRegistration } from "../../kernel/callbacks.ts";
import { Device, SymbolicLink } from "../../kernel/io/devices.ts";
import { LookasideList } from "../../kernel/lookaside-lists.ts";
import { allocatedBlocks, tagText, PoolBlock } from "../../kernel/pool.ts";
import { InterfaceProvider } from "../../ndis/interface-objects.ts";
import { Interrupt } from "../../ndis/interrupts.ts";
import {
  BufferPool,
  IoWorkItem,
  MiniportDriver,
  ProtocolDriver,
  ScatterGatherDma,
  SharedMemory,
  TimerObject,
} from "../../ndis/objects.ts";
import { on, ruleSet } from "../rule.ts";
import { isLeftByFailedBind } from "./failed-binds.ts";

export const leakRules = ruleSet(
  ["leak-memory", "leak-handle", "mp-deregister-in-unload"],
  [
    on("note DMA channel released with lists", ({ report }, { value: count }) => {
      report({
        rule: "leak-handle",
        message: `NdisMDeregisterScatterGatherDma was called while ${count} scatter/gather list(s) of the channel are not freed.`,
      });
    }),
    on("note interface provider released with interfaces", ({ report }, { value: count }) => {
      report({
        rule: "leak-handle",
        message: `NdisIfDeregisterProvider was called while ${count} interface(s) of the provider are registered.`,
      });
    }),
    on("note locked MDL freed", ({ report }, { address }) => {
      report({
        rule: "leak-memory",
        message: `The MDL at 0x${address.toString(16)} was freed while its pages are locked; MmUnlockPages has to come first.`,
      });
    }),
    on("note driver unloaded", ({ k, shadow, report }, { address: slot }) => {
      const byTag = new Map<string, { count: number; bytes: number; first: number }>();
      for (const block of allocatedBlocks(k)) {
        if (block.owner !== slot + 1 || isLeftByFailedBind(shadow, block.address + PoolBlock.bytes)) continue;
        const tag = tagText(block.tag);
        const sum = byTag.get(tag) ?? { count: 0, bytes: 0, first: block.address + PoolBlock.bytes };
        byTag.set(tag, { count: sum.count + 1, bytes: sum.bytes + block.bytes, first: sum.first });
      }
      for (const [tag, { count, bytes, first }] of byTag) {
        report({
          rule: "leak-memory",
          message: `The driver is unloaded, and ${count} block(s) with tag '${tag}' (${bytes} bytes) that it allocated are not freed; the first is at 0x${first.toString(16)}.`,
          driver: slot,
          allocation: first,
        });
      }
      const left = [
        [BufferPool, "net buffer pool(s)"],
        [TimerObject, "timer object(s)"],
        [IoWorkItem, "work item(s)"],
        [SymbolicLink, "symbolic link(s)"],
        [Device, "device object(s)"],
        [LookasideList, "lookaside list(s)"],
        [CallbackRegistration, "callback registration(s)"],
        [Interrupt, "interrupt(s)"],
        [ScatterGatherDma, "scatter/gather DMA channel(s)"],
        [SharedMemory, "block(s) of shared memory"],
        [InterfaceProvider, "registration(s) as an interface provider"],
        [ProtocolDriver, "protocol registration(s)"],
      ] as const;
      for (const [type, what] of left) {
        const count = k.objects
          .all<{ name: string; bytes: number; at: (typeof BufferPool)["at"] }>(type as never)
          .filter((each) => each.slot === slot).length;
        if (count > 0)
          report({ rule: "leak-handle", message: `The driver is unloaded, and ${count} ${what} of it are left.`, driver: slot });
      }
      if (!k.objects.all(MiniportDriver).some((miniport) => miniport.slot === slot)) return;
      report({
        rule: "mp-deregister-in-unload",
        message: "The driver is unloaded, and has not called NdisMDeregisterMiniportDriver in MiniportDriverUnload.",
        driver: slot,
      });
    }),
  ],
);
