/**
 * Check-for-hang and reset of a miniport adapter: NDIS asks now and then whether it hangs, and has it reset when it says so, when the miniport asks
 * for it, or when the scenario does. A reset changes no state of the adapter, and other operations go on beside it.
 *
 * Pages: miniport-adapter-check-for-hang-and-reset-operations, hardware-reset, protocol-driver-reset-operations, nc-ndis-miniport_reset,
 * nc-ndis-miniport_check_for_hang, nf-ndis-ndismresetcomplete, nf-ndis-ndismresetminiport.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { cancelTimer, setBackgroundTimer } from "../kernel/timer-queue.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { listOf } from "../kernel/lists.ts";
import { Adapter, OidOperation } from "./objects.ts";
import { tellSettings } from "./told-settings.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { NDIS_STATUS_PENDING, adapterAt, adapterOf, owedByMiniport, tellCompletedTwice } from "./stack.ts";
import { indicateStatus } from "./status-indications.ts";

const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const SECOND = 10_000_000;
const DEFAULT_SECONDS = 2;
const CHECKS_FOR_A_REQUEST = 2;
/** After these results the adapter works again, so that its settings are worth restoring. */
const WORKING: ReadonlySet<number> = new Set(
  (["NDIS_STATUS_SUCCESS", "NDIS_STATUS_SOFT_ERRORS"] as const).map((name) => constant(name) >>> 0),
);

/** Whether the miniport has a reset that it has not completed, or that NDIS has not looked at. */
const isAtMiniport = ({ reset }: Adapter): boolean => reset === "in-callback" || reset === "pending";

/** An indication of NDIS's own about the adapter. */
function indication(k: Kernel, adapter: Adapter, status: number): number {
  const address = allocate(k, Indication.bytes, NDIS_TAG, -1);
  writeHeader(k, address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
  const structure = Indication.at(k.memory, address);
  structure.SourceHandle = k.objects.handleOf(adapter);
  structure.StatusCode = status;
  return address;
}

/** Resets the adapter behind the handle; it may be gone by then. */
export const resetAdapter = plan(
  "reset an adapter",
  struct("Reset", { handle: u32, adapter: u32, addressing: u32, indication: u32, isPended: boolean }),
  [
    step("the miniport is told to reset", (k, p) => {
      const adapter = k.objects.resolve(p.handle, Adapter);
      const handler = adapter?.miniport?.reset ?? 0;
      // Undocumented: whether NDIS asks for a second reset while one is under way. It does not: one reset serves both.
      if (adapter === undefined || handler === 0 || adapter.isWatchOver || adapter.reset !== "none") return done();
      p.adapter = adapter.address;
      adapter.reset = "in-callback";
      p.addressing = allocate(k, 1, NDIS_TAG, -1);
      return call(handler, "MiniportResetEx", [adapter.context, p.addressing]);
    }),
    step("the miniport has answered", (k, p, result) => {
      const adapter = adapterAt(k, p.adapter);
      const isAddressing = k.memory.u8[p.addressing] !== 0;
      free(k, p.addressing);
      if (result !== NDIS_STATUS_PENDING) {
        if (adapter.reset === "complete") tellCompletedTwice(k, owedByMiniport(adapter, "NdisMResetComplete", "reset"));
        complete(k, adapter, result, isAddressing);
        return goTo("the reset is complete");
      }
      p.isPended = true;
      if (adapter.reset === "in-callback") adapter.reset = "pending";
      // Protocols hear of a reset that pends; one that is over already would only be news of the past.
      p.indication = indication(k, adapter, constant("NDIS_STATUS_RESET_START"));
      return run(indicateStatus, [p.handle, p.indication]);
    }),
    step("the protocols know that it has begun", (k, p) => free(k, p.indication)),
    until("the reset is complete", (k, p) => adapterAt(k, p.adapter).reset === "complete", {
      owes: (k, p) => owedByMiniport(adapterAt(k, p.adapter), "NdisMResetComplete", "reset"),
    }),
    step("the settings that NDIS is to restore are restored", (k, p) => {
      const adapter = adapterAt(k, p.adapter);
      adapter.reset = "restoring";
      const mustRestore = adapter.isAddressingReset && WORKING.has(adapter.resetStatus);
      return mustRestore ? run(tellSettings, [p.adapter, 1]) : undefined;
    }),
    step("requests are accepted again, and the protocols know it", (k, p) => {
      const adapter = adapterAt(k, p.adapter);
      adapter.reset = "ending";
      if (!p.isPended) return goTo("the reset is over");
      p.indication = indication(k, adapter, constant("NDIS_STATUS_RESET_END"));
      return run(indicateStatus, [p.handle, p.indication]);
    }),
    step("the protocols know that it is over", (k, p) => free(k, p.indication)),
    step("the reset is over", (k, p) => {
      const adapter = adapterAt(k, p.adapter);
      adapter.reset = "none";
      return done(adapter.resetStatus);
    }),
  ],
);

function complete(k: Kernel, adapter: Adapter, status: number, isAddressing: boolean): void {
  adapter.reset = "complete";
  adapter.resetStatus = status;
  adapter.isAddressingReset = isAddressing;
  k.note("reset complete", adapter.address, status);
}

/**
 * Counts the call for the OID request that the miniport has; true: it has it for too long. Undocumented: the few OIDs for which NDIS waits for
 * four calls. It waits for two with all of them.
 */
function hasHeldRequest(k: Kernel, adapter: Adapter): boolean {
  const operation = listOf(k.memory, OidOperation, adapter.firstOid).find(({ state }) => state === "Active");
  if (operation === undefined) return false;
  operation.hangChecks += 1;
  return operation.hangChecks > CHECKS_FOR_A_REQUEST;
}

/** Asks the miniport once whether the adapter hangs. A reset that is under way answers the question. */
const checkForHang = plan("check an adapter for hang", struct("CheckForHang", { handle: u32, adapter: u32 }), [
  step("the miniport is asked", (k, p) => {
    const adapter = k.objects.resolve(p.handle, Adapter);
    if (adapter === undefined || adapter.isWatchOver || adapter.isCheckingForHang || adapter.reset !== "none") return done();
    // Undocumented: whether NDIS asks about an adapter that sleeps. Its hardware cannot answer, and it is not asked.
    if (adapter.power !== "awake") return done();
    p.adapter = adapter.address;
    adapter.isCheckingForHang = true;
    return call(adapter.miniport?.checkForHang ?? 0, "MiniportCheckForHangEx", [adapter.context]);
  }),
  step("the miniport has answered", (k, p, result) => {
    const adapter = adapterAt(k, p.adapter);
    adapter.isCheckingForHang = false;
    return (result & 0xff) !== 0 || hasHeldRequest(k, adapter) ? run(resetAdapter, [p.handle]) : done();
  }),
]);

/** From its registration attributes on NDIS asks about the adapter every so many seconds. */
export function watchForHang(k: Kernel, adapter: Adapter, seconds: number): void {
  if ((adapter.miniport?.checkForHang ?? 0) === 0) return;
  const period = (seconds === 0 ? DEFAULT_SECONDS : seconds) * SECOND;
  setBackgroundTimer(k, adapter.address, period, checkForHang, k.objects.handleOf(adapter));
}

/** NDIS asks no more, and waits until nothing that it asked for is under way. */
export const stopWatching = plan("stop watching an adapter", struct("StopWatching", { adapter: u32 }), [
  step("nothing new is asked", (k, p) => {
    cancelTimer(k, p.adapter);
    adapterAt(k, p.adapter).isWatchOver = true;
  }),
  until(
    "no check for hang and no reset is under way",
    (k, p) => {
      const { isCheckingForHang, reset } = adapterAt(k, p.adapter);
      return !isCheckingForHang && reset === "none";
    },
    { owes: (k, p) => owedByMiniport(adapterAt(k, p.adapter), "NdisMResetComplete", "reset") },
  ),
]);

export const resetRoutines = [
  leaf("NdisMResetMiniport", (k, handle) => {
    const adapter = adapterOf(k, handle);
    if (adapter === undefined) return;
    k.startThread("WorkItem", { kind: "plan", plan: resetAdapter, args: [handle] });
  }),
  leaf("NdisMResetComplete", (k, handle, status, addressingReset = 0) => {
    const adapter = adapterOf(k, handle);
    if (adapter === undefined) return;
    const isAddressing = (addressingReset & 0xff) !== 0;
    if (!isAtMiniport(adapter)) {
      const message = "NdisMResetComplete was called, but no reset is pending";
      k.bugCheck(0x7c, [0x0f, handle, status, isAddressing ? 1 : 0], message);
    }
    complete(k, adapter, status, isAddressing);
  }),
];
export const resetPlans = [resetAdapter, checkForHang, stopWatching];
