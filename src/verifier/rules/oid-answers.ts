/** What a miniport's answer to an OID request has to say beside its status, and which statuses an OID allows. */
import { type ConstantName, constant, oidName, statusName } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { type Finding, type RuleContext, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";
import { requestEnds } from "./oid-ends.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const [SET, METHOD] = [constant("NdisRequestSetInformation"), constant("NdisRequestMethod")];
const SUCCESS = constant("NDIS_STATUS_SUCCESS");
const INDICATION_REQUIRED = constant("NDIS_STATUS_INDICATION_REQUIRED") >>> 0;
const [TOO_SHORT, INVALID_LENGTH] = [
  constant("NDIS_STATUS_BUFFER_TOO_SHORT") >>> 0,
  constant("NDIS_STATUS_INVALID_LENGTH") >>> 0,
];

/** From a request to its SupportedRevision when the miniport got it, plus 1. */
const revisionBefore = shadowTable("supported revisions of OID requests", 64);
/** From the RequestId of a request that is answered by an indication to its RequestHandle. */
const answeredLater = shadowTable("OID requests that an indication answers", 64);

/** Sets whose buffer is a structure with an NDIS_OBJECT_HEADER, of which there are or may be several revisions. */
const REVISIONED: ReadonlySet<number> = new Set(
  (
    [
      "OID_GEN_INTERRUPT_MODERATION",
      "OID_GEN_LINK_PARAMETERS",
      "OID_GEN_RECEIVE_HASH",
      "OID_GEN_RECEIVE_SCALE_PARAMETERS",
      "OID_NIC_SWITCH_PARAMETERS",
      "OID_NIC_SWITCH_VPORT_PARAMETERS",
      "OID_OFFLOAD_ENCAPSULATION",
      "OID_PM_ADD_PROTOCOL_OFFLOAD",
      "OID_PM_ADD_WOL_PATTERN",
      "OID_PM_PARAMETERS",
      "OID_QOS_PARAMETERS",
      "OID_RECEIVE_FILTER_CLEAR_FILTER",
      "OID_RECEIVE_FILTER_FREE_QUEUE",
      "OID_RECEIVE_FILTER_QUEUE_PARAMETERS",
      "OID_TCP_OFFLOAD_PARAMETERS",
    ] as const
  ).map((name) => constant(name) >>> 0),
);

/** The bytes without which nothing can be set, or answered. */
const LEAST: Partial<Record<ConstantName, number>> = {
  OID_GEN_CURRENT_PACKET_FILTER: 4,
  OID_GEN_CURRENT_LOOKAHEAD: 4,
  OID_GEN_VENDOR_ID: 4,
  OID_GEN_VENDOR_DRIVER_VERSION: 4,
  OID_GEN_TRANSMIT_BUFFER_SPACE: 4,
  OID_GEN_RECEIVE_BUFFER_SPACE: 4,
  OID_GEN_TRANSMIT_BLOCK_SIZE: 4,
  OID_GEN_RECEIVE_BLOCK_SIZE: 4,
  OID_802_3_PERMANENT_ADDRESS: 6,
  OID_802_3_CURRENT_ADDRESS: 6,
  OID_802_3_MAXIMUM_LIST_SIZE: 4,
  OID_PNP_SET_POWER: 4,
  OID_PNP_QUERY_POWER: 4,
};
const LEAST_BYTES: ReadonlyMap<number, number> = new Map(
  Object.entries(LEAST).map(([name, bytes]) => [constant(name as ConstantName) >>> 0, bytes]),
);

/** Mobile broadband and Wi-Fi: what they are asked can take very long. Of an OID without a name nobody knows. */
const ANSWERS_LATER = /^OID_(?:WWAN|DOT11)_/;

type Judge = (context: RuleContext, address: number, status: number, name: string, by: Partial<Finding>) => void;

const judgeRevision: Judge = ({ k, shadow, report }, address, status, name, by) => {
  const request = Request.at(k.memory, address);
  const wasSet = shadow.get(revisionBefore, address) > 1;
  shadow.set(revisionBefore, address, 0);
  if (status !== SUCCESS || request.RequestType !== SET || !REVISIONED.has(request.DATA_SET_INFORMATION_Oid >>> 0)) return;
  if (request.SupportedRevision !== 0 || wasSet) return;
  report({
    rule: "oid-supportedrevision-set",
    message: `${name} was set, and SupportedRevision is 0. It tells the originator which revision of the structure the driver has taken.`,
    ...by,
  });
};

const judgeLater: Judge = ({ k, shadow, report }, address, status, name, by) => {
  if (status !== INDICATION_REQUIRED) return;
  const { RequestId, RequestHandle } = Request.at(k.memory, address);
  if (RequestId !== 0) shadow.set(answeredLater, RequestId, RequestHandle);
  if (!name.startsWith("OID_") || ANSWERS_LATER.test(name)) return;
  report({
    rule: "oid-indication-required",
    message: `${name} was completed with NDIS_STATUS_INDICATION_REQUIRED, which its page does not allow.`,
    ...by,
  });
};

const judgeLength: Judge = ({ k, report }, address, status, name, by) => {
  const request = Request.at(k.memory, address);
  if (request.RequestType === METHOD) return;
  const { DATA_QUERY_INFORMATION_InformationBufferLength: length, DATA_QUERY_INFORMATION_BytesNeeded: needed } = request;
  const complain = (message: string): void => report({ rule: "oid-validate-input", message, ...by });
  const least = LEAST_BYTES.get(request.DATA_QUERY_INFORMATION_Oid >>> 0) ?? 0;
  if (status === SUCCESS && length < least)
    complain(
      `${name} succeeded with a buffer of ${length} bytes. It takes ${least}: whoever handles it looks at the length first.`,
    );
  if (status === TOO_SHORT && needed <= length) {
    complain(
      `${name} was completed with NDIS_STATUS_BUFFER_TOO_SHORT for a buffer of ${length} bytes, and BytesNeeded is ${needed}. It has to say how many it takes.`,
    );
  }
  if (status === INVALID_LENGTH && needed === 0 && length < least)
    complain(
      `${name} was completed with NDIS_STATUS_INVALID_LENGTH, and BytesNeeded is 0. It has to say how many bytes it takes.`,
    );
};

const JUDGES: readonly Judge[] = [judgeRevision, judgeLater, judgeLength];

const ends = requestEnds(
  "what the answers say",
  ({ k, shadow }, request) => {
    shadow.set(revisionBefore, request, Request.at(k.memory, request).SupportedRevision + 1);
  },
  (context, address, status, by) => {
    const oid = Request.at(context.k.memory, address).DATA_QUERY_INFORMATION_Oid >>> 0;
    for (const judge of JUDGES) judge(context, address, status >>> 0, oidName(oid) ?? `0x${oid.toString(16)}`, by);
  },
);

export const oidAnswerRules = ruleSet(
  ["oid-supportedrevision-set", "oid-indication-required", "oid-validate-input"],
  [
    ...ends.watchers,
    on("call NdisMIndicateStatusEx", ({ k, shadow, report }, { args: [, address = 0] }) => {
      const { RequestId, DestinationHandle, StatusCode } = Indication.at(k.memory, address);
      const handle = RequestId === 0 ? 0 : shadow.get(answeredLater, RequestId);
      if (handle === 0) return;
      shadow.set(answeredLater, RequestId, 0);
      if (handle === DestinationHandle) return;
      report({
        rule: "oid-indication-required",
        message: `${statusName(StatusCode) ?? "A status"} was indicated for the OID request ${RequestId} with another DestinationHandle than the RequestHandle of that request: it does not come to whoever asked.`,
      });
    }),
  ],
  [ends.table, revisionBefore, answeredLater],
);
