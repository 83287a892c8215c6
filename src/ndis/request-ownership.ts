/**
 * Who may touch an OID request: no longer the miniport that has completed it. Undocumented: what its sender may look at while it is pending. All of
 * it, since no page says that it may not; and what is on the stack of a thread is left alone.
 *
 * Pages: nf-ndis-ndismoidrequestcomplete, nf-ndis-ndismdirectoidrequestcomplete.
 */
import { type GivingRoutine, forgetReturn, giveAway, rememberGiving, takeBack } from "../kernel/given-memory.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { regions } from "../kernel/memory.ts";
import { windowsStruct } from "../kernel/windows.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");

/** The running driver has completed the request. */
export function giveRequest(k: Kernel, request: number, routine: GivingRoutine): void {
  const isOnStack = request >= regions.stacks.start && request < regions.stacks.end;
  const driver = k.driverOfThread(k.current);
  if (driver < 0 || isOnStack) return;
  rememberGiving(k, request, routine, driver);
  giveAway(k, request, Request.bytes, driver);
}

/** The request, with its buffer, comes to the driver whose function that is. */
export function takeRequest(k: Kernel, request: number, target: number): void {
  const driver = target === 0 ? -1 : k.driverOf(target);
  if (driver < 0) return;
  takeBack(k, request, Request.bytes, driver);
  forgetReturn(k, request, driver);
  const { DATA_SET_INFORMATION_InformationBuffer: buffer, DATA_SET_INFORMATION_InformationBufferLength: bytes } = Request.at(
    k.memory,
    request,
  );
  if (k.memory.isAddress(buffer, bytes)) takeBack(k, buffer, bytes, driver);
}
