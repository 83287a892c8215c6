/**
 * What a miniport took for an adapter: released when MiniportInitializeEx fails, and in MiniportHaltEx, and kept over a pause. Interrupts, timers
 * that are set, work items, DMA and ports have rules of their own.
 */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { blockAt } from "../../kernel/pool.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { isSet } from "../../kernel/timer-queue.ts";
import { Adapter, BufferPool } from "../../ndis/objects.ts";
import { TimerObject } from "../../ndis/resource-objects.ts";
import { on, ruleSet } from "../rule.ts";
import { type Shadow, shadowTable } from "../shadow.ts";
import type { Thing } from "../origins.ts";
import { isInside } from "./binding.ts";

const ObjectHeader = windowsStruct("NDIS_OBJECT_HEADER");
const Registration = windowsStruct("NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES");
const REGISTRATION = constant("NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES");

/** Routines that allocate with the adapter's handle, their first argument. */
const WITH_ADAPTER = ["NdisAllocateMemoryWithTagPriority", "NdisAllocateMdl", "NdisAllocateRWLock"] as const;
/** Things whose makers are shown. */
const SHOWN = 8;

const ROWS = 1024;
/** From a block to the adapter in whose MiniportInitializeEx it was allocated, plus WITH_HANDLE; to TOLD when it was told of, to HALTED when the adapter is gone. */
const taken = shadowTable("blocks that were allocated for adapters", ROWS);
const WITH_HANDLE = 1;
const TOLD = 2;
/** It was allocated after MiniportInitializeEx. */
const LATER = 4;
const HALTED = 8;
const BITS = 15;
/** From a thread to the handle of the adapter that it allocates memory with. */
const allocating = shadowTable("adapters that memory is being allocated with", 64);
/** From a block to the handler in which it was allocated, of those that undo what they did when they fail; and to which driver it belongs. */
const undoable = shadowTable("blocks that were allocated in handlers that may fail", 256);

const HANDLERS = ["MiniportSetOptions", "ProtocolSetOptions", "MiniportAddDevice"] as const;
const ADD_DEVICE = HANDLERS.indexOf("MiniportAddDevice");
const valueOf = (slot: number, handler: number): number => ((slot + 1) << 4) | handler;

/** Whether a rule of this file has told of the block. */
export const isLeftByAdapter = (shadow: Shadow, block: number): boolean => shadow.get(taken, block) === TOLD;

/** Whether the block was allocated in MiniportInitializeEx of an adapter that is halted, and without its handle. */
export const isLeftByHaltedAdapter = (shadow: Shadow, block: number): boolean => shadow.get(taken, block) === HALTED;

/** Whether the block is the driver's: NDIS allocates for itself while a driver's call is under way. */
const isOf = (k: Kernel, block: number, driver: number): boolean => driver >= 0 && blockAt(k, block)?.owner === driver + 1;

/** What the adapter's miniport made with its handle and did not release, in words. A timer that is not set may outlive the halt. */
function objectsOf(k: Kernel, adapter: Adapter): { what: string; things: Thing[] }[] {
  const handle = k.objects.handleOf(adapter);
  const isOwned = ({ owner }: { readonly owner: number }): boolean => owner === handle;
  const unsetTimers = k.objects.all(TimerObject).filter((timer) => isOwned(timer) && !isSet(k, timer.address));
  const kinds: readonly (readonly [things: readonly Thing[], what: string])[] = [
    [k.objects.all(BufferPool).filter(isOwned), "net buffer pool(s)"],
    [adapter.isHalting ? [] : unsetTimers, "timer object(s)"],
  ];
  return kinds
    .filter(([things]) => things.length > 0)
    .map(([things, what]) => ({
      what: `${things.length} ${what}`,
      things: things.map(({ address }) => ({ address, name: what.replace("(s)", "") })),
    }));
}

/** What is left of the adapter; the blocks are marked as told of. */
function leftOf(
  k: Kernel,
  shadow: Shadow,
  adapter: Adapter,
  isWanted: (value: number) => boolean,
): { what: string[]; first: number; things: Thing[] } {
  const rows = shadow.entries(taken).filter(([, value]) => (value & ~BITS) >>> 0 === adapter.address);
  const left = rows.filter(([, value]) => isWanted(value)).map(([block]) => block);
  for (const [block, value] of rows) {
    const isForgotten = (value & LATER) === 0 && adapter.isHalting;
    shadow.set(taken, block, left.includes(block) ? TOLD : isForgotten ? HALTED : 0);
  }
  const blocks = left.map((address) => ({ address, name: "block" }));
  const memory = left.length > 0 ? [{ what: `${left.length} block(s) of memory`, things: blocks }] : [];
  const all = [...memory, ...objectsOf(k, adapter)];
  const things = all.flatMap((each) => each.things).slice(0, SHOWN);
  return { what: all.map(({ what }) => what), first: left[0] ?? 0, things };
}

export const adapterResourceRules = ruleSet(
  ["mp-init-fail-release-all", "mp-halt-free-everything", "mp-pause-keep-resources", "mp-init-synchronous"],
  [
    ...WITH_ADAPTER.flatMap((name) => [
      on(`call ${name}`, ({ k, shadow }, { args: [handle = 0], thread }) => {
        // What MiniportAddDevice takes is the device's, and not the adapter's.
        const isAdapters = (k.objects.resolve(handle, Adapter)?.state ?? "Halted") !== "Halted";
        shadow.set(allocating, thread + 1, isAdapters ? handle : 0);
      }),
      on(`return ${name}`, ({ shadow }, { thread }) => shadow.set(allocating, thread + 1, 0)),
    ]),
    on("note allocate", ({ k, shadow }, { address, driver, thread }) => {
      if (!isOf(k, address, driver)) return;
      const named = k.objects.resolve(shadow.get(allocating, thread + 1), Adapter);
      const initializing = k.objects
        .all(Adapter)
        .find(({ state, miniport }) => state === "Initializing" && miniport?.slot === driver);
      const isEarly = initializing !== undefined && isInside(k, ["MiniportInitializeEx"]);
      const adapter = isEarly ? initializing : named;
      // An adapter for which more is allocated than can be remembered is judged by the first blocks.
      if (adapter === undefined || shadow.entries(taken).length >= ROWS - 1) return;
      shadow.set(taken, address, adapter.address | (named === undefined ? 0 : WITH_HANDLE) | (isEarly ? 0 : LATER));
    }),
    on("note free", ({ k, shadow, report }, { address }) => {
      const value = shadow.get(taken, address);
      if (value === 0) return;
      shadow.set(taken, address, 0);
      if (value <= BITS || (value & LATER) !== 0 || !isInside(k, ["MiniportPause"])) return;
      report({
        rule: "mp-pause-keep-resources",
        message: `MiniportPause frees the memory at 0x${address.toString(16)}, which MiniportInitializeEx has allocated. A pause keeps what initialization allocated.`,
      });
    }),
    on("call NdisFreeNetBufferListPool", ({ k, report }, { args: [handle = 0] }) => {
      const owner = k.objects.resolve(handle, BufferPool)?.owner ?? 0;
      if (k.objects.resolve(owner, Adapter) === undefined || !isInside(k, ["MiniportPause"])) return;
      report({
        rule: "mp-pause-keep-resources",
        message:
          "MiniportPause frees a pool of NET_BUFFER_LIST structures of the adapter. A pause keeps what initialization allocated.",
      });
    }),
    on("note initialize returned", ({ k, shadow, report }, { address, value: status }) => {
      const adapter = Adapter.at(k.memory, address);
      const of = { driver: adapter.miniport?.slot ?? -1, target: adapter.miniport?.initialize ?? 0 };
      if (status === constant("NDIS_STATUS_PENDING")) {
        const message = "MiniportInitializeEx returned NDIS_STATUS_PENDING. It has no pending form: it returns when it is done.";
        report({ rule: "mp-init-synchronous", message, ...of });
      }
      if (status === 0) return;
      const { what, first, things } = leftOf(k, shadow, adapter, () => true);
      if (what.length === 0) return;
      report({
        rule: "mp-init-fail-release-all",
        message: `MiniportInitializeEx failed and left ${what.join(", ")}. It releases everything that it took before it returns.`,
        ...of,
        things,
        ...(first === 0 ? {} : { allocation: first }),
      });
    }),
    on("note halt returned", ({ k, shadow, report }, { address }) => {
      const adapter = Adapter.at(k.memory, address);
      const { what, first, things } = leftOf(k, shadow, adapter, (value) => {
        // What protocols still have comes back to nobody: the rule about receives tells of that.
        const isOut = (value & LATER) !== 0 && adapter.receivesOutstanding > 0;
        return (value & WITH_HANDLE) !== 0 && !isOut;
      });
      if (what.length === 0) return;
      report({
        rule: "mp-halt-free-everything",
        message: `MiniportHaltEx returned and left ${what.join(", ")} that the miniport took with the adapter's handle. It frees all resources of the adapter.`,
        driver: adapter.miniport?.slot ?? -1,
        target: adapter.miniport?.halt ?? 0,
        things,
        ...(first === 0 ? {} : { allocation: first }),
      });
    }),
  ],
  [taken, allocating],
);

export const undoneHandlerRules = ruleSet(
  ["mp-setoptions-undo-on-failure", "mp-adddevice-context"],
  [
    on("note allocate", ({ k, shadow }, { address, driver }) => {
      if (!isOf(k, address, driver) || !isInside(k, HANDLERS) || shadow.entries(undoable).length > 200) return;
      const handler = HANDLERS.findIndex((name) => isInside(k, [name]));
      shadow.set(undoable, address, valueOf(driver, handler));
    }),
    on("note free", ({ shadow }, { address }) => shadow.set(undoable, address, 0)),
    ...HANDLERS.map((name, handler) =>
      on(`handler return ${name}`, ({ shadow, report }, { result, returning, target }) => {
        const left = shadow.entries(undoable).filter(([, value]) => value === valueOf(returning, handler));
        if (handler !== ADD_DEVICE || result !== 0) for (const [block] of left) shadow.set(undoable, block, 0);
        if (result === 0 || left.length === 0) return;
        report({
          rule: handler === ADD_DEVICE ? "mp-adddevice-context" : "mp-setoptions-undo-on-failure",
          message: `${name} failed, and ${left.length} block(s) of memory that it allocated are not freed. A handler that fails undoes what it did.`,
          driver: returning,
          target,
          allocation: left[0]?.[0] ?? 0,
        });
      }),
    ),
    on("handler return MiniportRemoveDevice", ({ k, shadow, report }, { returning, target }) => {
      const left = shadow.entries(undoable).filter(([, value]) => value === valueOf(returning, ADD_DEVICE));
      const others = k.objects
        .all(Adapter)
        .filter(({ miniport, isDeviceAdded }) => miniport?.slot === returning && isDeviceAdded);
      // They may be another device's as long as there is one.
      if (left.length === 0 || others.length > 1) return;
      report({
        rule: "mp-adddevice-context",
        message: `MiniportRemoveDevice returned, and ${left.length} block(s) of memory that MiniportAddDevice allocated are not freed. It undoes what MiniportAddDevice did.`,
        driver: returning,
        target,
        allocation: left[0]?.[0] ?? 0,
      });
    }),
    on("call NdisMSetMiniportAttributes", ({ k, report }, { args: [handle = 0, attributes = 0] }) => {
      const { addDeviceContext = 0 } = k.objects.resolve(handle, Adapter) ?? {};
      if (addDeviceContext === 0 || ObjectHeader.at(k.memory, attributes).Type !== REGISTRATION) return;
      if (Registration.at(k.memory, attributes).MiniportAdapterContext !== addDeviceContext) return;
      report({
        rule: "mp-adddevice-context",
        message:
          "The MiniportAdapterContext is the context of MiniportAddDevice. They are different areas: the one goes in MiniportHaltEx, the other in MiniportRemoveDevice.",
      });
    }),
  ],
  [undoable],
);
