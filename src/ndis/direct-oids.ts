/**
 * Direct and synchronous OID requests: neither waits for another request, and both run at the level of the caller. A direct one may pend; a
 * synchronous one may not.
 *
 * Undocumented: the whole list of OIDs that each interface takes. The miniport gets whatever OID is asked for.
 *
 * Pages: nf-ndis-ndisdirectoidrequest, nc-ndis-miniport_direct_oid_request, nf-ndis-ndismdirectoidrequestcomplete,
 * nf-ndis-ndiscanceldirectoidrequest, nf-ndis-ndissynchronousoidrequest, nf-ndis-miniport_synchronous_oid_request.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, call, done, goTo, plan, step, until } from "../kernel/plan.ts";
import { leaf, planned } from "../kernel/routine.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { append, listOf, remove } from "../kernel/lists.ts";
import { type Binding, OidOperation } from "./objects.ts";
import { completePending } from "./oid-requests.ts";
import { usesRequestBuffer } from "./request-buffers.ts";
import { takeRequest } from "./request-ownership.ts";
import {
  NDIS_STATUS_PENDING,
  adapterOf,
  bindingAt,
  bindingOf,
  isResetting,
  owedByMiniport,
  tellCompletedTwice,
} from "./stack.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");

const operationAt = (k: Kernel, address: number): OidOperation => OidOperation.at(k.memory, address);

/** Why the binding may not ask now; undefined: it may. */
function refusal(binding: Binding | undefined): number | undefined {
  if (binding?.adapter === undefined) return constant("NDIS_STATUS_INVALID_PARAMETER");
  if (binding.open !== "open") return constant("NDIS_STATUS_FAILURE");
  if (binding.adapter.state === "Shutdown") return constant("NDIS_STATUS_NOT_ACCEPTED");
  return isResetting(binding.adapter) ? constant("NDIS_STATUS_RESET_IN_PROGRESS") : undefined;
}

/** The request is over for the miniport. */
function finish(k: Kernel, operation: OidOperation): void {
  const { adapter, binding } = operation;
  if (adapter !== undefined) adapter.firstDirectOid = remove(k.memory, OidOperation, adapter.firstDirectOid, operation);
  if (binding !== undefined) binding.oidsOutstanding -= 1;
  k.objects.release(operation);
}

function toMiniport(k: Kernel, address: number): Next {
  const operation = operationAt(k, address);
  const { adapter } = operation;
  operation.state = "Active";
  takeRequest(k, operation.request, adapter?.miniport?.directOidRequest ?? 0);
  return call(adapter?.miniport?.directOidRequest ?? 0, "MiniportDirectOidRequest", [adapter?.context ?? 0, operation.request]);
}

function takeAnswer(k: Kernel, address: number, result: number): void {
  const operation = operationAt(k, address);
  if (result === NDIS_STATUS_PENDING) return;
  if (operation.state === "Complete") {
    tellCompletedTwice(k, owedByMiniport(operation.adapter, "NdisMDirectOidRequestComplete", "directOidRequest"));
    return;
  }
  operation.state = "Complete";
  operation.status = result;
}

/** The rest of a request that pends: the miniport gets it, if it has not got it yet, and the protocol hears of its end. */
const completeDirect = plan("complete a direct OID request", struct("CompleteDirect", { operation: u32, isHandedOver: u32 }), [
  step("the miniport gets the request", (k, p) =>
    p.isHandedOver === 1 ? goTo("the miniport has completed the request") : toMiniport(k, p.operation),
  ),
  step("the miniport has answered", (k, p, result) => takeAnswer(k, p.operation, result)),
  until("the miniport has completed the request", (k, p) => operationAt(k, p.operation).state === "Complete", {
    owes: (k, p) => owedByMiniport(operationAt(k, p.operation).adapter, "NdisMDirectOidRequestComplete", "directOidRequest"),
  }),
  step("the protocol gets its request back", (k, p) => {
    const operation = operationAt(k, p.operation);
    const { binding, request, status } = operation;
    const handler = binding?.protocol?.directOidRequestComplete ?? 0;
    const context = binding?.context ?? 0;
    finish(k, operation);
    takeRequest(k, request, handler);
    return call(handler, "ProtocolDirectOidRequestComplete", [context, request, status]);
  }),
]);

const directRequest = plan("NdisDirectOidRequest", struct("DirectOid", { handle: u32, request: u32, operation: u32 }), [
  step("the request is handed over", (k, p) => {
    usesRequestBuffer(k, p.request);
    const binding = bindingOf(k, p.handle);
    const refused = refusal(binding);
    if (binding?.adapter === undefined || refused !== undefined) return done(refused);
    if ((binding.adapter.miniport?.directOidRequest ?? 0) === 0) return done(constant("NDIS_STATUS_NOT_SUPPORTED"));
    // Whoever makes direct requests has the completion handler: NDIS may pend any of them.
    if ((binding.protocol?.directOidRequestComplete ?? 0) === 0) return done(constant("NDIS_STATUS_FAILURE"));
    const operation = k.objects.create(OidOperation);
    operation.adapter = binding.adapter;
    operation.binding = binding;
    operation.request = p.request;
    binding.adapter.firstDirectOid = append(k.memory, OidOperation, binding.adapter.firstDirectOid, operation);
    binding.oidsOutstanding += 1;
    p.operation = operation.address;
    if (k.choose(2, "NdisDirectOidRequest") === 0) return toMiniport(k, p.operation);
    k.startThread("System", { kind: "plan", plan: completeDirect, args: [p.operation, 0] });
    return done(NDIS_STATUS_PENDING);
  }),
  step("the miniport has answered", (k, p, result) => {
    takeAnswer(k, p.operation, result);
    if (result === NDIS_STATUS_PENDING) {
      k.startThread("System", { kind: "plan", plan: completeDirect, args: [p.operation, 1] });
      return done(NDIS_STATUS_PENDING);
    }
    const operation = operationAt(k, p.operation);
    const { status } = operation;
    finish(k, operation);
    return done(status);
  }),
]);

const cancelDirect = plan("NdisCancelDirectOidRequest", struct("CancelDirectOid", { handle: u32, requestId: u32 }), [
  step("the miniport is asked to cancel", (k, p) => {
    const adapter = bindingOf(k, p.handle)?.adapter;
    if (adapter === undefined) return done();
    const hasIt = listOf(k.memory, OidOperation, adapter.firstDirectOid).some(
      ({ request, state }) => state === "Active" && Request.at(k.memory, request).RequestId === p.requestId,
    );
    const handler = adapter.miniport?.cancelDirectOidRequest ?? 0;
    if (!hasIt || handler === 0) return done();
    return call(handler, "MiniportCancelDirectOidRequest", [adapter.context, p.requestId]);
  }),
]);

const synchronousRequest = plan("NdisSynchronousOidRequest", struct("SyncOid", { handle: u32, request: u32, binding: u32 }), [
  step("the miniport gets the request", (k, p) => {
    usesRequestBuffer(k, p.request);
    const binding = bindingOf(k, p.handle);
    // These are not kept back by a reset: the miniport has to see to that itself.
    if (binding?.adapter === undefined) return done(constant("NDIS_STATUS_INVALID_PARAMETER"));
    if (binding.open !== "open") return done(constant("NDIS_STATUS_FAILURE"));
    if (binding.adapter.state === "Shutdown") return done(constant("NDIS_STATUS_NOT_ACCEPTED"));
    const handler = binding.adapter.miniport?.synchronousOidRequest ?? 0;
    if (handler === 0) return done(constant("NDIS_STATUS_NOT_SUPPORTED"));
    binding.oidsOutstanding += 1;
    p.binding = binding.address;
    takeRequest(k, p.request, handler);
    return call(handler, "MiniportSynchronousOidRequest", [binding.adapter.context, p.request]);
  }),
  step("the miniport has answered", (k, p, status) => {
    bindingAt(k, p.binding).oidsOutstanding -= 1;
    // Undocumented: what the caller gets when the miniport answers NDIS_STATUS_PENDING, which it may not. There is nothing to wait for.
    return done(status === NDIS_STATUS_PENDING ? constant("NDIS_STATUS_FAILURE") : status);
  }),
]);

export const directOidRoutines = [
  planned("NdisDirectOidRequest", directRequest),
  planned("NdisCancelDirectOidRequest", cancelDirect),
  planned("NdisSynchronousOidRequest", synchronousRequest),
  leaf("NdisMDirectOidRequestComplete", (k, handle, request, status) => {
    const adapter = adapterOf(k, handle);
    if (adapter === undefined) return;
    const pending = listOf(k.memory, OidOperation, adapter.firstDirectOid).filter((each) => each.request === request);
    completePending(k, pending, request, status, "NdisMDirectOidRequestComplete");
  }),
];
export const directOidPlans = [completeDirect];
