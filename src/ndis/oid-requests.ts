/**
 * OID requests: queued, one at a time per adapter, at PASSIVE_LEVEL, whatever the level of the caller.
 *
 * Pages: nf-ndis-ndisoidrequest, nc-ndis-miniport_oid_request, nf-ndis-ndismoidrequestcomplete, nc-ndis-protocol_oid_request_complete,
 * miniport-adapter-oid-requests.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, plan, step, until } from "../kernel/plan.ts";
import { leaf, planned } from "../kernel/routine.ts";
import { IRQL } from "../kernel/state.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { callBelow, takerBelow } from "./layers.ts";
import { giveRequest, takeRequest } from "./request-ownership.ts";
import { append, listOf, remove } from "../kernel/lists.ts";
import { type Adapter, OidOperation } from "./objects.ts";
import { answerQuery } from "./oid-answers.ts";
import { usesRequestBuffer } from "./request-buffers.ts";
import { isPortActive } from "./port-states.ts";
import { finishSet, prepareSet } from "./shared-settings.ts";
import { finishQuery, prepareStatistic } from "./statistics.ts";
import {
  NDIS_STATUS_PENDING,
  adapterAt,
  adapterOf,
  bindingOf,
  isResetting,
  owedByMiniport,
  tellCompletedTwice,
} from "./stack.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const QUERIES: ReadonlySet<number> = new Set([constant("NdisRequestQueryInformation"), constant("NdisRequestQueryStatistics")]);

function enqueue(k: Kernel, adapter: Adapter, request: number): OidOperation {
  const operation = k.objects.create(OidOperation);
  operation.adapter = adapter;
  operation.request = request;
  adapter.firstOid = append(k.memory, OidOperation, adapter.firstOid, operation);
  return operation;
}

const operationAt = (k: Kernel, address: number): OidOperation => OidOperation.at(k.memory, address);

const isFirst = (k: Kernel, operation: OidOperation): boolean => operation.adapter?.firstOid === operation.address;

/** A miniport that resets its hardware gets no request; NDIS's own follow when it is done. */
const isAtMiniport = (adapter: Adapter | undefined): boolean =>
  adapter !== undefined && isResetting(adapter) && adapter.reset !== "restoring";

/** Hands the request to the miniport when its turn has come; the result is the status, or PENDING while the miniport has it. */
const toMiniport = plan("hand an OID request to the miniport", struct("ToMiniport", { operation: u32 }), [
  until("the requests before it are complete, and the adapter is not being reset", (k, p) => {
    const operation = operationAt(k, p.operation);
    return isFirst(k, operation) && !isAtMiniport(operation.adapter);
  }),
  step("the miniport gets the request", (k, p) => {
    const operation = operationAt(k, p.operation);
    if (operation.isCancelled) {
      operation.state = "Complete";
      operation.status = constant("NDIS_STATUS_REQUEST_ABORTED");
      return done(operation.status);
    }
    const answer = prepare(k, operation);
    if (answer !== undefined) {
      operation.state = "Complete";
      operation.status = answer;
      return done(answer);
    }
    operation.state = "Active";
    takeRequest(k, operation.handed, operation.adapter?.miniport?.oidRequest ?? 0);
    return callBelow(takerBelow(k, operation.adapter?.top ?? 0, "oid"), "oid", [operation.handed]);
  }),
  step("the miniport has answered", (k, p, result) => {
    const operation = operationAt(k, p.operation);
    if (result !== NDIS_STATUS_PENDING && operation.state === "Complete") {
      tellCompletedTwice(k, owedByMiniport(operation.adapter, "NdisMOidRequestComplete", "oidRequest"));
    } else if (result !== NDIS_STATUS_PENDING) {
      operation.state = "Complete";
      operation.status = result;
    } else {
      operation.isPended = true;
    }
    return done(result);
  }),
]);

const kindOf = (request: { RequestType: number }): "query" | "set" | "other" => {
  if (QUERIES.has(request.RequestType)) return "query";
  return request.RequestType === constant("NdisRequestSetInformation") ? "set" : "other";
};

/** Before the miniport gets a binding's request: what it gets is in `handed` afterwards. A status: NDIS has answered the request itself. */
function prepare(k: Kernel, operation: OidOperation): number | undefined {
  const { adapter, binding, request } = operation;
  const kind = kindOf(Request.at(k.memory, request));
  let status: number | undefined;
  if (binding !== undefined && kind === "set") status = prepareSet(k, operation);
  if (binding !== undefined && adapter !== undefined && kind === "query") {
    status = answerQuery(k, adapter, request);
    if (status === undefined) prepareStatistic(k, operation);
  }
  if (status === undefined && operation.handed === 0) operation.handed = request;
  return status;
}

/** The operation leaves the queue, and the next one's turn comes. The result is the request's final status. */
function finish(k: Kernel, operation: OidOperation): number {
  const { adapter, binding, request } = operation;
  let { status } = operation;
  k.note("OID request complete", operation.address, status);
  if (binding !== undefined) {
    const kind = kindOf(Request.at(k.memory, request));
    if (kind === "query") status = finishQuery(k, operation, status);
    if (kind === "set") finishSet(k, operation, status);
    binding.oidsOutstanding -= 1;
  }
  if (adapter !== undefined) adapter.firstOid = remove(k.memory, OidOperation, adapter.firstOid, operation);
  k.objects.release(operation);
  return status;
}

/** Waits for the miniport and calls the protocol's completion handler. */
const completeToProtocol = plan("complete an OID request", struct("CompleteOid", { operation: u32, isHandedOver: boolean }), [
  step("the request is handed over", (_k, p) =>
    p.isHandedOver ? undefined : { kind: "run", plan: toMiniport, args: [p.operation] },
  ),
  until("the miniport has completed the request", (k, p) => operationAt(k, p.operation).state === "Complete", {
    owes: (k, p) => owedByMiniport(operationAt(k, p.operation).adapter, "NdisMOidRequestComplete", "oidRequest"),
  }),
  step("the protocol gets its request back", (k, p) => {
    const operation = operationAt(k, p.operation);
    const { binding, request } = operation;
    const handler = binding?.protocol?.oidRequestComplete ?? 0;
    const context = binding?.context ?? 0;
    const status = finish(k, operation);
    takeRequest(k, request, handler);
    return call(handler, "ProtocolOidRequestComplete", [context, request, status]);
  }),
]);

const oidRequest = plan(
  "NdisOidRequest",
  struct("OidRequestCall", { handle: u32, request: u32, operation: u32, wait: boolean }),
  [
    step("the request is queued", (k, p) => {
      usesRequestBuffer(k, p.request);
      const binding = bindingOf(k, p.handle);
      if (binding?.adapter === undefined) return done(constant("NDIS_STATUS_INVALID_PARAMETER"));
      // A request may not be made before the open is complete.
      if (binding.open !== "open") return done(constant("NDIS_STATUS_FAILURE"));
      if (isResetting(binding.adapter)) return done(constant("NDIS_STATUS_RESET_IN_PROGRESS"));
      // A port that is not active takes no OID requests. Undocumented: the status that tells a protocol so.
      const { PortNumber } = Request.at(k.memory, p.request);
      if (!isPortActive(k, binding.adapter, PortNumber)) return done(constant("NDIS_STATUS_INVALID_PORT"));
      // Undocumented: the status of a request to an adapter that was shut down, whose handlers are not called any more.
      if (binding.adapter.state === "Shutdown") return done(constant("NDIS_STATUS_NOT_ACCEPTED"));
      // No request but OID_PNP_SET_POWER reaches an adapter that sleeps. Undocumented: the status that tells a protocol so.
      if (binding.adapter.power !== "awake") return done(constant("NDIS_STATUS_LOW_POWER_STATE"));
      // Undocumented: what RequestHandle is. It is the binding handle, by which a status indication finds back to whoever asked.
      Request.at(k.memory, p.request).RequestHandle = p.handle;
      const operation = enqueue(k, binding.adapter, p.request);
      operation.binding = binding;
      binding.oidsOutstanding += 1;
      p.operation = operation.address;
      const canBeNow = k.current.irql === IRQL.PASSIVE && isFirst(k, operation);
      const answer = k.choose(canBeNow ? 3 : 2, "NdisOidRequest");
      if (canBeNow && answer === 0) return { kind: "run", plan: toMiniport, args: [p.operation] };
      k.startThread("System", { kind: "plan", plan: completeToProtocol, args: [p.operation, 0] });
      p.wait = canBeNow && answer === 2;
      return { kind: "goto", sentence: "the completion has been called, or need not be" };
    }),
    step("the miniport has answered", (k, p, result) => {
      if (result === NDIS_STATUS_PENDING) {
        k.startThread("System", { kind: "plan", plan: completeToProtocol, args: [p.operation, 1] });
        return done(NDIS_STATUS_PENDING);
      }
      return done(finish(k, operationAt(k, p.operation)));
    }),
    until("the completion has been called, or need not be", (k, p) => !p.wait || !isInQueue(k, p.operation, p.request)),
    step("the call returns", () => done(NDIS_STATUS_PENDING)),
  ],
);

function isInQueue(k: Kernel, address: number, request: number): boolean {
  return k.objects.all(OidOperation).some((operation) => operation.address === address && operation.request === request);
}

/** A request of NDIS itself; the result is its final status. */
export const internalRequest = plan(
  "an OID request of NDIS",
  struct("InternalOid", { adapter: u32, request: u32, operation: u32 }),
  [
    step("the request is queued", (k, p) => {
      p.operation = enqueue(k, adapterAt(k, p.adapter), p.request).address;
      return { kind: "run", plan: toMiniport, args: [p.operation] };
    }),
    until("the miniport has completed the request", (k, p) => operationAt(k, p.operation).state === "Complete", {
      owes: (k, p) => owedByMiniport(operationAt(k, p.operation).adapter, "NdisMOidRequestComplete", "oidRequest"),
    }),
    step("the request is over", (k, p) => {
      return done(finish(k, operationAt(k, p.operation)));
    }),
  ],
);

const cancelOid = plan("NdisCancelOidRequest", struct("CancelOid", { handle: u32, requestId: u32 }), [
  step("requests with that id are cancelled", (k, p) => {
    const adapter = bindingOf(k, p.handle)?.adapter;
    if (adapter === undefined) return done();
    const matching = listOf(k.memory, OidOperation, adapter.firstOid).filter(
      ({ request }) => Request.at(k.memory, request).RequestId === p.requestId,
    );
    for (const operation of matching) operation.isCancelled = true;
    if (!matching.some(({ state }) => state === "Active")) return done();
    return call(adapter.miniport?.cancelOidRequest ?? 0, "MiniportCancelOidRequest", [adapter.context, p.requestId]);
  }),
]);

/** The miniport completes one of the requests that it has; the rules are told when it has none of that address. */
export function completePending(
  k: Kernel,
  operations: readonly OidOperation[],
  request: number,
  status: number,
  routine: "NdisMOidRequestComplete" | "NdisMDirectOidRequestComplete",
): void {
  const operation = operations.find(({ state }) => state === "Active");
  if (operation === undefined) {
    k.note("completed without pending", request, 0, routine);
    return;
  }
  operation.state = "Complete";
  operation.status = status;
  giveRequest(k, request, routine);
}

export const oidRoutines = [
  planned("NdisOidRequest", oidRequest),
  planned("NdisCancelOidRequest", cancelOid),
  leaf("NdisMOidRequestComplete", (k, handle, request, status) => {
    const adapter = adapterOf(k, handle);
    if (adapter === undefined) return;
    const pending = listOf(k.memory, OidOperation, adapter.firstOid).filter(({ handed }) => handed === request);
    completePending(k, pending, request, status, "NdisMOidRequestComplete");
  }),
];
export const oidPlans = [toMiniport, completeToProtocol, internalRequest];
