/** Receive side scaling of netvmini as of NDIS 6.80: its parameters, and entries of its indirection table, moved by synchronous requests. */
import { constant } from "../contract/index.ts";
import type { Action, Scenario } from "../machine/actions.ts";
import { request, scenario } from "./netvmini-support.ts";
import { header, structureData } from "./structure-data.ts";

const SUCCESS = "NDIS_STATUS_SUCCESS";
const KEY_BYTES = constant("NDIS_RSS_HASH_SECRET_KEY_MAX_SIZE_REVISION_2");

function setParameters(flags: number, more: { keyBytes?: number; queues?: number } = {}, expect = SUCCESS): Action {
  const { keyBytes = KEY_BYTES, queues = 0 } = more;
  const parameters = structureData(
    "NDIS_RECEIVE_SCALE_PARAMETERS_V2",
    {
      ...header("NDIS_OBJECT_TYPE_RSS_PARAMETERS_V2", 1, "NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_V2_REVISION_1"),
      Flags: flags,
      HashInformation: constant("NdisHashFunctionToeplitz") | constant("NDIS_HASH_IPV4"),
      HashSecretKeySize: keyBytes,
      HashSecretKeyOffset: constant("NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_V2_REVISION_1"),
      NumberOfQueues: queues,
    },
    Array.from({ length: keyBytes }, (_, index) => index),
  );
  return request("set", "OID_GEN_RECEIVE_SCALE_PARAMETERS_V2", parameters, expect);
}

interface Entry {
  readonly flags: number;
  readonly index?: number;
  readonly processor: number;
}

function moveEntries(entries: readonly Entry[]): Action {
  const elements = entries.flatMap(({ flags, index = 0, processor }) => [
    ...structureData("NDIS_RSS_SET_INDIRECTION_ENTRY", {
      Flags: flags,
      IndirectionTableIndex: index,
      TargetProcessorNumber_Number: processor,
      EntryStatus: constant("NDIS_STATUS_PENDING"),
    }),
  ]);
  const bytes = constant("NDIS_SIZEOF_RSS_SET_INDIRECTION_ENTRIES_REVISION_1");
  const given = structureData(
    "NDIS_RSS_SET_INDIRECTION_ENTRIES",
    {
      ...header("NDIS_OBJECT_TYPE_RSS_SET_INDIRECTION_ENTRIES", 1, "NDIS_SIZEOF_RSS_SET_INDIRECTION_ENTRIES_REVISION_1"),
      RssEntrySize: constant("NDIS_SIZEOF_RSS_SET_INDIRECTION_ENTRY_REVISION_1"),
      RssEntryTableOffset: bytes,
      NumberOfRssEntries: entries.length,
    },
    elements,
  );
  return request("method", "OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES", given, SUCCESS, {
    way: "synchronous",
    outputBytes: given.length,
  });
}

const PRIMARY = constant("NDIS_RSS_SET_INDIRECTION_ENTRY_FLAG_PRIMARY_PROCESSOR");
const DEFAULT = constant("NDIS_RSS_SET_INDIRECTION_ENTRY_FLAG_DEFAULT_PROCESSOR");
const ENABLE = constant("NDIS_RECEIVE_SCALE_PARAM_ENABLE_RSS");

export const scalingScenarios: readonly Scenario[] = [
  scenario("scaling", "while it is off, scaling gets its parameters, and entries are moved that are not in use", [
    setParameters(constant("NDIS_RECEIVE_SCALE_PARAM_HASH_KEY_CHANGED") | constant("NDIS_RECEIVE_SCALE_PARAM_HASH_INFO_CHANGED")),
    setParameters(constant("NDIS_RECEIVE_SCALE_PARAM_NUMBER_OF_QUEUES_CHANGED"), { queues: 2 }),
    setParameters(0, { keyBytes: 16 }, "NDIS_STATUS_INVALID_LENGTH"),
    request("query", "OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES", [], "NDIS_STATUS_NOT_SUPPORTED", { way: "synchronous" }),
    moveEntries([
      { flags: PRIMARY, processor: 0 },
      { flags: 0, index: 3, processor: 1 },
      { flags: DEFAULT, processor: 1 },
    ]),
  ]),
  // The two that follow find that the adapter never makes the map of its queues.
  scenario("scaling-on", "scaling is turned on", [setParameters(ENABLE)]),
  scenario("scaling-moves", "the entry that is in use is moved to another processor", [
    moveEntries([{ flags: PRIMARY, processor: 1 }]),
  ]),
];
