/**
 * Power: NDIS takes an adapter to sleep and wakes it, with the stack above it.
 *
 * Undocumented: when NDIS asks OID_PNP_QUERY_POWER before it sets the power. It need not, and does not.
 *
 * Pages: oid-pnp-set-power, handling-a-set-power-request, power-management-enhancements-in-ndis-6-30,
 * nc-ndis-miniport_device_pnp_event_notify.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, done, goTo, plan, run, step } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { DEVICE_EVENTS, notifyDeviceEvent, powerProfile } from "./device-events.ts";
import type { Adapter } from "./objects.ts";
import { internalRequest } from "./oid-requests.ts";
import { pauseStack, restartStack } from "./pause-restart.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { NDIS_STATUS_SUCCESS, adapterAt, bindingsOf, untilStackIsFree } from "./stack.ts";
import { tellProtocols } from "./system-events.ts";
import { freeStack } from "./unbind.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const NO_PAUSE = constant("NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND");
const LOW_POWER = constant("NDIS_PAUSE_LOW_POWER");
const D0 = constant("NdisDeviceStateD0");
const NDIS_6_30 = 30;
const QUERY_POWER = constant("NetEventQueryPower");
const SET_POWER = constant("NetEventSetPower");

/** The miniport has to ask for it, and every protocol has to know of it. */
const staysUnpaused = (k: Kernel, adapter: Adapter): boolean =>
  (adapter.attributeFlags & NO_PAUSE) !== 0 &&
  (adapter.miniport?.minorVersion ?? 0) >= NDIS_6_30 &&
  bindingsOf(k, adapter).every(({ protocol }) => (protocol?.minorVersion ?? 0) >= NDIS_6_30);

/** Whether the miniport has said what power management its adapter can do; NDIS halts others in place of letting them sleep. */
export function managesPower(k: Kernel, { generalAttributes }: Adapter): boolean {
  if (generalAttributes === 0) return false;
  const given = GeneralAttributes.at(k.memory, generalAttributes);
  return given.PowerManagementCapabilities !== 0 || (given.Header_Revision >= 2 && given.PowerManagementCapabilitiesEx !== 0);
}

/** The request and the power state that it is about are one block of NDIS's memory; protocols are shown the state as well. */
function powerRequest(k: Kernel, state: number): number {
  const address = allocate(k, Request.bytes + 4, NDIS_TAG, -1);
  writeHeader(k, address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
  const request = Request.at(k.memory, address);
  request.RequestType = constant("NdisRequestSetInformation");
  request.DATA_SET_INFORMATION_Oid = constant("OID_PNP_SET_POWER");
  request.DATA_SET_INFORMATION_InformationBuffer = address + Request.bytes;
  request.DATA_SET_INFORMATION_InformationBufferLength = 4;
  k.memory.writeU32(address + Request.bytes, state);
  return address;
}

function endOfRequest(k: Kernel, address: number, power: "asleep" | "awake", status: number): void {
  adapterAt(k, address).power = power;
  k.note("power set", address, status, power);
}

const SetPower = struct("SetPower", { adapter: u32, state: u32, request: u32, status: u32 });
const tellPower = (p: { adapter: number; request: number }, code: number): Next =>
  run(tellProtocols, [p.adapter, code, p.request + Request.bytes, 4]);

/** Takes the adapter to that NDIS_DEVICE_POWER_STATE; the result is the miniport's answer to OID_PNP_SET_POWER. */
export const setPower = plan("set the power state of an adapter", SetPower, [
  untilStackIsFree((p) => p.adapter),
  step("which way does it go?", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    // Undocumented: whether NDIS takes a sleeping adapter from one low-power state to another. It does not.
    if ((adapter.power === "asleep") === (p.state !== D0)) return done(NDIS_STATUS_SUCCESS);
    adapter.busy = 1;
    p.request = powerRequest(k, p.state);
    return p.state === D0 ? goTo("the miniport wakes its adapter") : tellPower(p, QUERY_POWER);
  }),
  // NetEventQueryPower, which a protocol always succeeds, is always followed by NetEventSetPower.
  step("each protocol hears that it will sleep", (_k, p) => tellPower(p, SET_POWER)),
  step("the stack pauses", (k, p) =>
    staysUnpaused(k, adapterAt(k, p.adapter)) ? undefined : run(pauseStack, [p.adapter, LOW_POWER]),
  ),
  step("the miniport takes its adapter to sleep", (k, p) => {
    adapterAt(k, p.adapter).power = "falling asleep";
    return run(internalRequest, [p.adapter, p.request]);
  }),
  step("it sleeps", (k, p, status) => {
    // Undocumented: what follows when the miniport refuses to sleep. The adapter counts as asleep: its power goes away.
    p.status = status;
    endOfRequest(k, p.adapter, "asleep", status);
    return goTo("the stack is free again");
  }),
  step("the miniport wakes its adapter", (k, p) => {
    adapterAt(k, p.adapter).power = "waking";
    return run(internalRequest, [p.adapter, p.request]);
  }),
  step("it is awake", (k, p, status) => {
    p.status = status;
    endOfRequest(k, p.adapter, "awake", status);
    return run(notifyDeviceEvent, [p.adapter, DEVICE_EVENTS["on mains"], powerProfile("on mains")]);
  }),
  // The miniport is restarted only if it was paused.
  step("the stack restarts", (k, p) => (adapterAt(k, p.adapter).state === "Paused" ? run(restartStack, [p.adapter]) : undefined)),
  step("each protocol hears of it", (_k, p) => tellPower(p, SET_POWER)),
  step("the stack is free again", (k, p) => {
    free(k, p.request);
    freeStack(k, p.adapter);
    return done(p.status);
  }),
]);

export const powerPlans = [setPower];
