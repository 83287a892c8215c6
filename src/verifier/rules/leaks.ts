/** What a driver still has when it is unloaded: memory by tag, pools, timers, work items. */
import { CallbackRegistration } from "../../kernel/callbacks.ts";
import { Device, SymbolicLink } from "../../kernel/io/devices.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { LookasideList } from "../../kernel/lookaside-lists.ts";
import { Handle } from "../../kernel/object-manager.ts";
import { allocatedBlocks, tagText, PoolBlock } from "../../kernel/pool.ts";
import { NdisDevice } from "../../ndis/devices.ts";
import { InterfaceProvider } from "../../ndis/interface-objects.ts";
import { Interrupt } from "../../ndis/interrupts.ts";
import { BufferPool, MiniportDriver, ProtocolDriver, ScatterGatherDma } from "../../ndis/objects.ts";
import { SharedMemory, TimerObject } from "../../ndis/resource-objects.ts";
import { on, ruleSet } from "../rule.ts";
import { isLeftByAdapter } from "./adapter-resources.ts";
import { isLeftByBinding, isLeftByFailedBind } from "./failed-binds.ts";

/** Devices of IoCreateDevice: those of NdisRegisterDeviceEx are told apart. */
function* devicesLeft(k: Kernel, slot: number): Generator<string> {
  const registered = new Set(k.objects.all(NdisDevice).map(({ device }) => device?.address));
  const left = k.objects.all(Device).filter((device) => device.slot === slot && !registered.has(device.address));
  if (left.length > 0) yield `${left.length} device object(s) of it are left`;
}

function* handlesLeft(k: Kernel, slot: number): Generator<string> {
  const byKind = new Map<string, number>();
  for (const { opener, object } of k.objects.all(Handle)) {
    if (opener !== slot + 1 || object === undefined) continue;
    byKind.set(object.kind, (byKind.get(object.kind) ?? 0) + 1);
  }
  for (const [kind, count] of byKind) yield `${count} handle(s) that it opened are not closed; what they stand for: ${kind}`;
}

function* threadsLeft(k: Kernel, slot: number): Generator<string> {
  const left = k.threads.filter(({ state, kind, driver }) => state === "Live" && kind === "System" && driver === slot + 1);
  if (left.length > 0)
    yield `${left.length} system thread(s) of it are still running: wait for their thread objects after telling them to end`;
}

export const leakRules = ruleSet(
  ["leak-memory", "leak-handle", "mp-deregister-in-unload"],
  [
    on("note locked MDL freed", ({ report }, { address }) => {
      report({
        rule: "leak-memory",
        message: `The MDL at 0x${address.toString(16)} was freed while its pages are locked; MmUnlockPages has to come first.`,
      });
    }),
    on("note driver unloaded", ({ k, shadow, report }, { address: slot, value: refusal }) => {
      const byTag = new Map<string, { count: number; bytes: number; first: number; ofBindings: number }>();
      for (const block of allocatedBlocks(k)) {
        const first = block.address + PoolBlock.bytes;
        if (block.owner !== slot + 1 || isLeftByFailedBind(shadow, first) || isLeftByAdapter(shadow, first)) continue;
        const tag = tagText(block.tag);
        const sum = byTag.get(tag) ?? { count: 0, bytes: 0, first: block.address + PoolBlock.bytes, ofBindings: 0 };
        const ofBindings = sum.ofBindings + (isLeftByBinding(shadow, block.address + PoolBlock.bytes) ? 1 : 0);
        byTag.set(tag, { count: sum.count + 1, bytes: sum.bytes + block.bytes, first: sum.first, ofBindings });
      }
      for (const [tag, { count, bytes, first, ofBindings }] of byTag) {
        const where = ofBindings === 0 ? "" : ` ${ofBindings} of them it allocated in binds of bindings that are gone.`;
        report({
          rule: "leak-memory",
          message: `The driver is unloaded, and ${count} block(s) with tag '${tag}' (${bytes} bytes) that it allocated are not freed; the first is at 0x${first.toString(16)}.${where}`,
          driver: slot,
          allocation: first,
          things: [{ address: first }],
        });
      }
      const left = [
        [BufferPool, "net buffer pool(s)"],
        [TimerObject, "timer object(s)"],
        [SymbolicLink, "symbolic link(s)"],
        [NdisDevice, "device(s) of NdisRegisterDeviceEx"],
        [LookasideList, "lookaside list(s)"],
        [CallbackRegistration, "callback registration(s)"],
        [Interrupt, "interrupt(s)"],
        [ScatterGatherDma, "scatter/gather DMA channel(s)"],
        [SharedMemory, "block(s) of shared memory"],
        [InterfaceProvider, "registration(s) as an interface provider"],
        [ProtocolDriver, "protocol registration(s)"],
      ] as const;
      for (const [type, what] of left) {
        // After a DriverEntry that failed, the rules of protocol and miniport drivers say so.
        if (refusal !== 0 && type === ProtocolDriver) continue;
        const count = k.objects
          .all<{ name: string; bytes: number; at: (typeof BufferPool)["at"] }>(type as never)
          .filter((each) => each.slot === slot).length;
        if (count > 0)
          report({ rule: "leak-handle", message: `The driver is unloaded, and ${count} ${what} of it are left.`, driver: slot });
      }
      for (const message of [...devicesLeft(k, slot), ...handlesLeft(k, slot), ...threadsLeft(k, slot)])
        report({ rule: "leak-handle", message: `The driver is unloaded, and ${message}.`, driver: slot });
      if (refusal !== 0 || !k.objects.all(MiniportDriver).some((miniport) => miniport.slot === slot)) return;
      report({
        rule: "mp-deregister-in-unload",
        message: "The driver is unloaded, and has not called NdisMDeregisterMiniportDriver in MiniportDriverUnload.",
        driver: slot,
      });
    }),
  ],
);
