/**
 * Receive queues of netvmini from NDIS 6.20 on, and its traffic classes from 6.30 on. The identifiers of queues and filters, which NDIS would
 * hand out, come from the scenarios.
 */
import { constant } from "../contract/index.ts";
import type { Action, Scenario } from "../machine/actions.ts";
import { EVERYBODY, keepReceives, protocolDoes, received, request, scenario, send, settle, wait } from "./netvmini-support.ts";
import { header, structureData } from "./structure-data.ts";

const SPLIT = constant("NDIS_RECEIVE_QUEUE_PARAMETERS_LOOKAHEAD_SPLIT_REQUIRED");
const SUCCESS = "NDIS_STATUS_SUCCESS";
const INVALID = "NDIS_STATUS_INVALID_PARAMETER";

interface Queue {
  readonly flags?: number;
  readonly buffers?: number;
  readonly lookahead?: number;
  /** Processors, a bit each. */
  readonly affinity?: number;
  readonly type?: string;
}

const queueParameters = (
  id: number,
  { flags = 0, buffers = 0, lookahead = 0, affinity = 1, type = "NdisReceiveQueueTypeVMQueue" }: Queue,
): Uint8Array =>
  structureData(
    "NDIS_RECEIVE_QUEUE_PARAMETERS",
    {
      ...header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_RECEIVE_QUEUE_PARAMETERS_REVISION_1"),
      Flags: flags,
      QueueType: constant(type),
      QueueId: id,
      ProcessorAffinity_Mask: affinity,
      NumSuggestedReceiveBuffers: buffers,
      LookaheadSize: lookahead,
    },
    [],
    constant("NDIS_SIZEOF_RECEIVE_QUEUE_PARAMETERS_REVISION_1"),
  );

/** A method request whose buffer is as large in both directions. */
const method = (oid: string, input: Uint8Array, expect: string): Action =>
  request("method", oid, input, expect, { outputBytes: input.length });

const allocate = (id: number, queue: Queue, expect = SUCCESS): Action =>
  method("OID_RECEIVE_FILTER_ALLOCATE_QUEUE", queueParameters(id, queue), expect);
const update = (id: number, queue: Queue, expect = SUCCESS): Action =>
  request("set", "OID_RECEIVE_FILTER_QUEUE_PARAMETERS", queueParameters(id, queue), expect);

const complete = (...ids: number[]): Action => {
  const elements = ids.flatMap((id) => [
    ...structureData("NDIS_RECEIVE_QUEUE_ALLOCATION_COMPLETE_PARAMETERS", {
      ...header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_RECEIVE_QUEUE_ALLOCATION_COMPLETE_PARAMETERS_REVISION_1"),
      QueueId: id,
    }),
  ]);
  const offset = constant("NDIS_SIZEOF_RECEIVE_QUEUE_ALLOCATION_COMPLETE_ARRAY_REVISION_1");
  const array = structureData(
    "NDIS_RECEIVE_QUEUE_ALLOCATION_COMPLETE_ARRAY",
    {
      ...header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_RECEIVE_QUEUE_ALLOCATION_COMPLETE_ARRAY_REVISION_1"),
      FirstElementOffset: offset,
      NumElements: ids.length,
      ElementSize: constant("NDIS_SIZEOF_RECEIVE_QUEUE_ALLOCATION_COMPLETE_PARAMETERS_REVISION_1"),
    },
    elements,
  );
  return method("OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE", array, SUCCESS);
};

const fieldHeader = header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1");
const equal = {
  ...fieldHeader,
  FrameHeader: constant("NdisFrameHeaderMac"),
  ReceiveFilterTest: constant("NdisReceiveFilterTestEqual"),
} as const;

/** Frames to the address, in that VLAN or in none, go to the queue. */
function setFilter(filter: number, queue: number, address: readonly number[], vlan = 0, expect = SUCCESS): Action {
  const destination = structureData("NDIS_RECEIVE_FILTER_FIELD_PARAMETERS", {
    ...equal,
    Flags: vlan === 0 ? constant("NDIS_RECEIVE_FILTER_FIELD_MAC_HEADER_VLAN_UNTAGGED_OR_ZERO") : 0,
    HeaderField_MacHeaderField: constant("NdisMacHeaderFieldDestinationAddress"),
    FieldValue_FieldLong64Value: address.reduceRight((value, byte) => value * 256 + byte, 0),
  });
  const inVlan = structureData("NDIS_RECEIVE_FILTER_FIELD_PARAMETERS", {
    ...equal,
    HeaderField_MacHeaderField: constant("NdisMacHeaderFieldVlanId"),
    FieldValue_FieldShortValue: vlan,
  });
  const fields = vlan === 0 ? [...destination] : [...destination, ...inVlan];
  const parameters = structureData(
    "NDIS_RECEIVE_FILTER_PARAMETERS",
    {
      ...header("NDIS_OBJECT_TYPE_DEFAULT", 2, "NDIS_SIZEOF_RECEIVE_FILTER_PARAMETERS_REVISION_2"),
      FilterType: constant("NdisReceiveFilterTypeVMQueue"),
      QueueId: queue,
      FilterId: filter,
      // A field has 64-bit values in it.
      FieldParametersArrayOffset: 48,
      FieldParametersArrayNumElements: vlan === 0 ? 1 : 2,
      FieldParametersArrayElementSize: destination.length,
    },
    [0, 0, 0, 0, ...fields],
  );
  return method("OID_RECEIVE_FILTER_SET_FILTER", parameters, expect);
}

const clearFilter = (filter: number, queue: number, expect = SUCCESS): Action =>
  request(
    "set",
    "OID_RECEIVE_FILTER_CLEAR_FILTER",
    structureData("NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS", {
      ...header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1"),
      QueueId: queue,
      FilterId: filter,
    }),
    expect,
  );
const freeQueue = (queue: number, expect = SUCCESS): Action =>
  request(
    "set",
    "OID_RECEIVE_FILTER_FREE_QUEUE",
    structureData("NDIS_RECEIVE_QUEUE_FREE_PARAMETERS", {
      ...header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_RECEIVE_QUEUE_FREE_PARAMETERS_REVISION_1"),
      QueueId: queue,
    }),
    expect,
  );

const GUEST = [0x02, 0x00, 0x5e, 0x00, 0x00, 0x0a];
const OTHER = [0x02, 0x00, 0x5e, 0x00, 0x00, 0x0b];
const registry = { 0: { "*VMQ": "1", "*VMQLookaheadSplit": "1", "*VMQVlanFiltering": "1" } };

export const queueScenarios: readonly Scenario[] = [
  scenario(
    "queues",
    "frames go to the queue whose filter they match, split or whole, or to the default queue, or nowhere",
    [
      allocate(1, { flags: SPLIT, lookahead: 32, buffers: 64 }),
      allocate(2, { affinity: 2 }),
      complete(1, 2),
      setFilter(1, 1, GUEST),
      setFilter(2, 2, OTHER, 5),
      send(1, 3, GUEST),
      ...received(0, 3),
      send(1, 2, OTHER, { vlan: 5 }),
      ...received(0, 5),
      send(1, 2, OTHER, { vlan: 6 }),
      send(1, 2, GUEST, { vlan: 5 }),
      send(1, 2, OTHER),
      send(1, 1, EVERYBODY),
      ...received(0, 6),
      clearFilter(1, 1),
      clearFilter(2, 2),
      send(1, 1, GUEST),
      freeQueue(1),
      freeQueue(2),
      ...received(0, 6),
    ],
    registry,
  ),
  scenario(
    "queue-update",
    "a queue moves to another processor while frames come in",
    [
      allocate(1, {}),
      complete(1),
      setFilter(1, 1, GUEST),
      { do: "in parallel", actions: [send(1, 20, GUEST)] },
      update(1, { flags: constant("NDIS_RECEIVE_QUEUE_PARAMETERS_PROCESSOR_AFFINITY_CHANGED"), affinity: 2 }),
      update(1, { flags: constant("NDIS_RECEIVE_QUEUE_PARAMETERS_SUGGESTED_RECV_BUFFER_NUMBERS_CHANGED"), buffers: 80 }),
      update(1, { flags: constant("NDIS_RECEIVE_QUEUE_PARAMETERS_FLAGS_CHANGED") | SPLIT }, "NDIS_STATUS_NOT_SUPPORTED"),
      ...received(0, 20),
      clearFilter(1, 1),
      freeQueue(1),
    ],
    registry,
  ),
  scenario(
    "queue-free-pends",
    "a queue is freed while a protocol has frames of it: the request waits for them, and is not cancelled",
    [
      allocate(3, { buffers: 64 }),
      complete(3),
      setFilter(4, 3, GUEST),
      keepReceives(true),
      send(1, 2, GUEST),
      ...received(0, 2),
      clearFilter(4, 3),
      { do: "in parallel", actions: [freeQueue(3)] },
      wait(10),
      protocolDoes("CancelRequest", 0),
      keepReceives(false),
      settle,
      allocate(3, {}),
      complete(3),
      setFilter(4, 3, GUEST),
      keepReceives(true),
      send(1, 2, GUEST),
      ...received(0, 4),
      clearFilter(4, 3),
      { do: "in parallel", actions: [freeQueue(3)] },
      wait(10),
      protocolDoes("ReturnAtDispatch"),
      settle,
      allocate(3, {}),
    ],
    registry,
  ),
  scenario(
    "queue-mistakes",
    "requests that make no sense are refused",
    [
      allocate(0, {}, INVALID),
      allocate(1, { type: "NdisReceiveQueueTypeUnspecified" }, INVALID),
      allocate(1, {}),
      allocate(1, {}, INVALID),
      setFilter(1, 2, GUEST, 0, INVALID),
      setFilter(1, 1, GUEST),
      setFilter(1, 1, OTHER, 0, INVALID),
      clearFilter(2, 1, INVALID),
      clearFilter(1, 1),
      freeQueue(0, INVALID),
      update(1, { flags: constant("NDIS_RECEIVE_QUEUE_PARAMETERS_PROCESSOR_AFFINITY_CHANGED"), affinity: 0 }, INVALID),
    ],
    registry,
  ),
  scenario(
    "queues-left",
    "an adapter with queues, filters and frames under way is reset, paused, and goes",
    [
      allocate(1, { flags: SPLIT, lookahead: 128 }),
      complete(1),
      setFilter(1, 1, GUEST),
      { do: "in parallel", actions: [send(1, 10, GUEST)] },
      { do: "reset", adapter: 0 },
      { do: "pause", adapter: 0 },
      { do: "restart", adapter: 0 },
      settle,
      keepReceives(true),
      send(1, 10, GUEST),
      send(1, 5, EVERYBODY),
    ],
    registry,
  ),
];

const ETS_AND_PFC = constant("NDIS_QOS_PARAMETERS_ETS_CONFIGURED") | constant("NDIS_QOS_PARAMETERS_PFC_CONFIGURED");
const FCOE_ETHERTYPE = 0x8906;
const ISCSI_PORT = 3260;

function setClasses(flags: number, conditions: readonly (readonly [string, number])[], expect = SUCCESS): Action {
  const elements = conditions.flatMap(([selector, field], index) => [
    ...structureData("NDIS_QOS_CLASSIFICATION_ELEMENT", {
      ...header("NDIS_OBJECT_TYPE_QOS_CLASSIFICATION_ELEMENT", 1, "NDIS_SIZEOF_QOS_CLASSIFICATION_ELEMENT_REVISION_1"),
      ConditionSelector: constant(selector),
      ConditionField: field,
      ActionSelector: constant("NDIS_QOS_ACTION_PRIORITY"),
      ActionField: index,
    }),
  ]);
  const bytes = constant("NDIS_SIZEOF_QOS_PARAMETERS_REVISION_1");
  const parameters = structureData(
    "NDIS_QOS_PARAMETERS",
    {
      ...header("NDIS_OBJECT_TYPE_QOS_PARAMETERS", 1, "NDIS_SIZEOF_QOS_PARAMETERS_REVISION_1"),
      Header_Size: bytes + elements.length,
      Flags: flags,
      NumTrafficClasses: 8,
      NumClassificationElements: conditions.length,
      ClassificationElementSize: constant("NDIS_SIZEOF_QOS_CLASSIFICATION_ELEMENT_REVISION_1"),
      FirstClassificationElementOffset: bytes,
    },
    elements,
  );
  return method("OID_QOS_PARAMETERS", parameters, expect);
}

export const trafficClassScenarios: readonly Scenario[] = [
  scenario(
    "traffic-classes",
    "the adapter is told of traffic classes and of how frames are classified, or uses its own",
    [
      setClasses(0, []),
      setClasses(constant("NDIS_QOS_PARAMETERS_ETS_CONFIGURED"), [], "NDIS_STATUS_NOT_SUPPORTED"),
      setClasses(ETS_AND_PFC, []),
      setClasses(ETS_AND_PFC | constant("NDIS_QOS_PARAMETERS_CLASSIFICATION_CONFIGURED"), [
        ["NDIS_QOS_CONDITION_DEFAULT", 0],
        ["NDIS_QOS_CONDITION_ETHERTYPE", FCOE_ETHERTYPE],
        ["NDIS_QOS_CONDITION_TCP_PORT", ISCSI_PORT],
      ]),
    ],
    { 0: { "*QOS": "1" } },
  ),
];
