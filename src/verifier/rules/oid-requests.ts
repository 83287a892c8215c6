/** What an OID request may come to: its final status, the bytes that it reports, and how it is asked. */
import { constant, oidName, statusName } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Binding } from "../../ndis/objects.ts";
import { NDIS_STATUS_PENDING } from "../../ndis/stack.ts";
import { type Finding, type RuleContext, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
/** From a request to what its counts were when the miniport got it: a protocol may leave old ones in it. */
const before = shadowTable("counts of OID requests", 64);
/** From a thread to the request that MiniportOidRequest handles on it. */
const handled = shadowTable("OID requests in their handlers", 64);

/** The change of the power state has a rule of its own. */
const MUST_SUCCEED: ReadonlySet<number> = new Set(
  (
    [
      "OID_RECEIVE_FILTER_CLEAR_FILTER",
      "OID_RECEIVE_FILTER_FREE_QUEUE",
      "OID_802_3_DELETE_MULTICAST_ADDRESS",
      "OID_PM_REMOVE_WOL_PATTERN",
      "OID_PM_REMOVE_PROTOCOL_OFFLOAD",
      "OID_NIC_SWITCH_DELETE_SWITCH",
      "OID_NIC_SWITCH_FREE_VF",
    ] as const
  ).map((name) => constant(name) >>> 0),
);
/** A miniport that does not have the OID at all releases nothing by it. */
const UNKNOWN_OID: ReadonlySet<string | undefined> = new Set([
  "NDIS_STATUS_NOT_SUPPORTED",
  "NDIS_STATUS_INVALID_OID",
  // What is to be released is not there: the request is wrong, not its answer.
  "NDIS_STATUS_INVALID_PARAMETER",
]);
const [SET, METHOD] = [constant("NdisRequestSetInformation"), constant("NdisRequestMethod")];

/** Counts that go beyond their buffers. */
function overrun(k: Kernel, address: number): string | undefined {
  const request = Request.at(k.memory, address);
  const beyond = (what: string, bytes: number, buffer: string, length: number): string | undefined =>
    bytes > length ? `${what} is ${bytes}, and its ${buffer} is ${length}` : undefined;
  if (request.RequestType === METHOD) {
    const { DATA_METHOD_INFORMATION_OutputBufferLength: output, DATA_METHOD_INFORMATION_InputBufferLength: input } = request;
    return (
      beyond("BytesWritten", request.DATA_METHOD_INFORMATION_BytesWritten, "OutputBufferLength", output) ??
      beyond("BytesRead", request.DATA_METHOD_INFORMATION_BytesRead, "InputBufferLength", input)
    );
  }
  if (request.RequestType === SET) {
    const { DATA_SET_INFORMATION_BytesRead: bytes, DATA_SET_INFORMATION_InformationBufferLength: length } = request;
    return beyond("BytesRead", bytes, "InformationBufferLength", length);
  }
  const { DATA_QUERY_INFORMATION_BytesWritten: bytes, DATA_QUERY_INFORMATION_InformationBufferLength: length } = request;
  return beyond("BytesWritten", bytes, "InformationBufferLength", length);
}

/** One word about the counts, whatever kind of request it is. */
function countsOf(k: Kernel, address: number): number {
  const request = Request.at(k.memory, address);
  const [one, two] =
    request.RequestType === METHOD
      ? [request.DATA_METHOD_INFORMATION_BytesWritten, request.DATA_METHOD_INFORMATION_BytesRead]
      : [request.DATA_QUERY_INFORMATION_BytesWritten, 0];
  return (Math.imul(one, 31) + two + 1) >>> 0;
}

/** The request is complete with that status. `by`: whom to blame, and where. */
function judge({ k, shadow, report }: RuleContext, address: number, status: number, by: Partial<Finding>): void {
  const oid = Request.at(k.memory, address).DATA_QUERY_INFORMATION_Oid >>> 0;
  const name = oidName(oid) ?? `OID 0x${oid.toString(16)}`;
  const what = statusName(status) ?? `0x${(status >>> 0).toString(16)}`;
  if (status !== 0 && MUST_SUCCEED.has(oid) && !UNKNOWN_OID.has(what)) {
    report({
      rule: "oid-must-succeed-list",
      message: `${name} was completed with ${what}. A request that releases resources may not fail.`,
      ...by,
    });
  }
  const isCounted = shadow.get(before, address) !== countsOf(k, address);
  shadow.set(before, address, 0);
  const beyond = status === 0 && isCounted ? overrun(k, address) : undefined;
  if (beyond === undefined) return;
  report({ rule: "oid-byteswritten-bound", message: `${name} was completed, and its ${beyond}.`, ...by });
}

export const oidRequestRules = ruleSet(
  ["oid-must-succeed-list", "oid-byteswritten-bound", "oid-direct-complete-handler"],
  [
    on("handler MiniportOidRequest", ({ k, shadow }, { args: [, request = 0], thread }) => {
      shadow.set(handled, thread + 1, request);
      shadow.set(before, request, countsOf(k, request));
    }),
    on("handler return MiniportOidRequest", (context, { result, thread, returning, target }) => {
      const request = context.shadow.get(handled, thread + 1);
      context.shadow.set(handled, thread + 1, 0);
      if (request !== 0 && result !== NDIS_STATUS_PENDING) judge(context, request, result, { driver: returning, target });
    }),
    on("call NdisMOidRequestComplete", (context, { args }) => {
      const [, request = 0, status = 0] = args;
      if (request !== 0 && status !== NDIS_STATUS_PENDING) judge(context, request, status, {});
    }),
    on("call NdisDirectOidRequest", ({ k, report }, { args }) => {
      const protocol = k.objects.resolve(args[0] ?? 0, Binding)?.protocol;
      if (protocol === undefined || protocol.directOidRequestComplete !== 0) return;
      report({
        rule: "oid-direct-complete-handler",
        message:
          "NdisDirectOidRequest was called by a driver without ProtocolDirectOidRequestComplete. The request may pend, and nobody could be told of its end.",
      });
    }),
  ],
  [handled, before],
);
