/** OID requests to fnmp: held by its application, cancelled, completed; and what it answers by itself. */
import { constant } from "../contract/index.ts";
import type { Scenario } from "../machine/actions.ts";
import {
  CODES,
  EXCLUSIVE,
  SET,
  QUERY,
  DIRECT,
  METHOD,
  DIRECT_NOP,
  OID_SET_NOP,
  pauseFor,
  protocolDoes,
  openAs,
  close,
  ioctl,
  scenario,
  key,
  complete,
  ask,
  inParallel,
} from "./fnmp-device.ts";
import { header, structureData } from "./structure-data.ts";

const PROCESSOR_NUMBER_BYTES = 4;
const indirection = [0, 0, 0, 0, 0, 0, 1, 0];
const receiveScaling = structureData(
  "NDIS_RECEIVE_SCALE_PARAMETERS",
  {
    ...header("NDIS_OBJECT_TYPE_RSS_PARAMETERS", 2, "NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2"),
    HashInformation: constant("NdisHashFunctionToeplitz") | constant("NDIS_HASH_IPV4"),
    IndirectionTableSize: 2 * PROCESSOR_NUMBER_BYTES,
    IndirectionTableOffset: constant("NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2"),
  },
  indirection,
  constant("NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2"),
);
const ON = constant("NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED");
const offloads = structureData("NDIS_OFFLOAD_PARAMETERS", {
  ...header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1"),
  IPv4Checksum: ON,
  TCPIPv4Checksum: ON,
  UDPIPv4Checksum: ON,
  LsoV2IPv4: constant("NDIS_OFFLOAD_PARAMETERS_LSOV2_ENABLED"),
});

export const oidScenarios: readonly Scenario[] = [
  scenario(
    "held-oids",
    "OID requests that match a filter are held, read, and completed with a status of the application's or as the driver would",
    openAs("exclusive", EXCLUSIVE),
    openAs("second", EXCLUSIVE, 1, "STATUS_DUPLICATE_OBJECTID"),
    ioctl("exclusive", CODES.oidFilter, [
      ...key(OID_SET_NOP, SET),
      ...key(constant("OID_GEN_STATISTICS"), QUERY),
      ...key(constant("OID_802_3_MULTICAST_LIST"), SET),
      ...key(DIRECT_NOP, METHOD, DIRECT),
    ]),
    ioctl("exclusive", CODES.oidFilter, key(OID_SET_NOP, SET), "STATUS_INVALID_DEVICE_REQUEST"),
    ioctl("exclusive", CODES.oidFilter, [1, 2, 3], "STATUS_INVALID_PARAMETER"),
    ioctl("exclusive", CODES.oidGetRequest, key(OID_SET_NOP, SET), "STATUS_NOT_FOUND", 16),
    inParallel(ask("set", OID_SET_NOP, { input: [1, 2, 3, 4], expect: "NDIS_STATUS_SUCCESS" })),
    pauseFor(5),
    ioctl("exclusive", CODES.oidGetRequest, key(OID_SET_NOP, SET), "STATUS_BUFFER_OVERFLOW"),
    ioctl("exclusive", CODES.oidGetRequest, key(OID_SET_NOP, SET), "STATUS_SUCCESS", 16, [1, 2, 3, 4]),
    ioctl("exclusive", CODES.oidCompleteRequest, complete(OID_SET_NOP, SET, constant("NDIS_STATUS_PENDING"))),
    pauseFor(5),
    inParallel(ask("query", constant("OID_GEN_STATISTICS"), { outputBytes: 256, expect: "NDIS_STATUS_FAILURE" })),
    pauseFor(5),
    ioctl(
      "exclusive",
      CODES.oidCompleteRequest,
      complete(constant("OID_GEN_STATISTICS"), QUERY, constant("NDIS_STATUS_FAILURE")),
    ),
    pauseFor(5),
    // Held and cancelled, which the driver takes no notice of: the application lets it go.
    inParallel(ask("set", OID_SET_NOP, { input: [1, 1, 1, 1] })),
    pauseFor(5),
    protocolDoes("CancelRequest", 0),
    ioctl("exclusive", CODES.oidCompleteRequest, complete(OID_SET_NOP, SET, constant("NDIS_STATUS_SUCCESS"))),
    pauseFor(5),
    inParallel(ask("method", DIRECT_NOP, { way: "direct", input: [1, 2, 3, 4], outputBytes: 4 })),
    pauseFor(5),
    protocolDoes("CancelRequest", 0),
    ioctl("exclusive", CODES.oidCompleteRequest, [
      { pointerTo: key(DIRECT_NOP, METHOD, DIRECT) },
      { u32: constant("NDIS_STATUS_SUCCESS") },
      { u32: 0 },
      { u32: 0 },
    ]),
    pauseFor(5),
    // Held for longer than the driver's watchdog allows: it lets the request go.
    inParallel(ask("set", OID_SET_NOP, { input: [9, 9, 9, 9] })),
    pauseFor(20_000),
    // Held when the file is closed: the driver completes it.
    inParallel(ask("set", OID_SET_NOP, { input: [5, 6, 7, 8] })),
    pauseFor(5),
    close("exclusive"),
    pauseFor(5),
  ),
  scenario(
    "all-oids",
    "every OID that the adapter supports is asked for; some are set",
    protocolDoes("AskAll", 0),
    ask("set", constant("OID_GEN_CURRENT_LOOKAHEAD"), { input: [{ u32: 256 }], expect: "NDIS_STATUS_SUCCESS" }),
    ask("set", OID_SET_NOP, { input: [1], expect: "NDIS_STATUS_SUCCESS" }),
    ask("set", 0xff00_0002, { input: [1] }),
    ask("method", DIRECT_NOP, { way: "direct", input: [1, 2, 3, 4], outputBytes: 4, expect: "NDIS_STATUS_SUCCESS" }),
    protocolDoes("CancelSends", 0),
    ask("set", constant("OID_GEN_RECEIVE_SCALE_PARAMETERS"), { input: receiveScaling, expect: "NDIS_STATUS_SUCCESS" }),
    ask("set", constant("OID_TCP_OFFLOAD_PARAMETERS"), { input: offloads, expect: "NDIS_STATUS_SUCCESS" }),
    ask("method", constant("OID_GEN_STATISTICS"), { outputBytes: 16 }),
  ),
];
