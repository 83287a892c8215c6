/** Where the documentation contradicts itself or the headers, and what ndislab does. Shown with everything that the note is about. */

interface Erratum {
  /** Names of routines, rules, constants, objects. */
  readonly about: readonly string[];
  readonly note: string;
}

const errata: readonly Erratum[] = [
  {
    about: ["NdisCompleteUnbindAdapterEx", "unbind-complete-no-status", "unbind-pending-must-complete", "unbind-operation"],
    note:
      "The conceptual page about unbinding speaks of a final status that is passed to NdisCompleteUnbindAdapterEx. The function takes the " +
      "UnbindContext only, and returns nothing.",
  },
  {
    about: [
      "NdisMAllocatePort",
      "NDIS_PORT_CHARACTERISTICS",
      "NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS",
      "NDIS_OBJECT_TYPE_DEFAULT",
      "ndis-port",
    ],
    note:
      "The pages, and public drivers, put NDIS_OBJECT_TYPE_DEFAULT into the header of NDIS_PORT_CHARACTERISTICS, though the headers define " +
      "NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS for it. ndislab takes both.",
  },
  {
    about: ["NdisMFreePort", "port-free-unknown", "NDIS_STATUS_INVALID_PORT", "ndis-port"],
    note:
      "The page of NdisMFreePort lists NDIS_STATUS_INVALID_PORT and NDIS_STATUS_INVALID_DATA for a bad number and does not say which applies " +
      "when. ndislab gives INVALID_DATA to a number that no port can have, INVALID_PORT to one that is not allocated, and to port 0.",
  },
  {
    about: ["NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT", "NdisMSetMiniportAttributes"],
    note: "Some pages write NDIS_MINIPORT_CONTROLS_DEFAULT_PORT. The headers have NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT.",
  },
  {
    about: ["NdisCloseAdapterEx", "close-operation", "close-invalidates-handle-immediately"],
    note:
      "The handle is invalid as soon as NdisCloseAdapterEx is called, yet receive and status indications may still come until the close is " +
      "complete; the pages leave open how their buffers go back. ndislab indicates such lists with the RESOURCES flag: they stay NDIS's.",
  },
  {
    about: ["NdisCloseAdapterEx", "close-operation", "close-only-from-bind-or-unbind"],
    note:
      "The pages have an adapter closed from ProtocolBindAdapterEx or ProtocolUnbindAdapterEx, and do not say whether that means inside their " +
      "calls. ndislab takes a close until the bind or unbind is complete, and warns of one outside of the calls.",
  },
  {
    about: ["NDIS_OPEN_PARAMETERS", "open-frame-type-limit"],
    note:
      "NDIS_MAX_FRAME_TYPES_PER_OPEN is named by the page of NDIS_OPEN_PARAMETERS and defined in no public header. ndislab takes 16, so that " +
      "nobody is accused who keeps to a smaller number.",
  },
  {
    about: ["NdisCompleteNetPnPEvent", "unbind-complete-irql"],
    note:
      "Binds and unbinds may be completed at up to DISPATCH_LEVEL; the page of NdisCompleteNetPnPEvent asks for PASSIVE_LEVEL, and a rule holds " +
      "drivers to it.",
  },
  {
    about: ["NDIS_STATUS_NOT_ACCEPTED", "NDIS_STATUS_PENDING"],
    note: "NT_SUCCESS is true for NDIS_STATUS_PENDING (0x00000103) and NDIS_STATUS_NOT_ACCEPTED (0x00010003): compare, do not test the severity.",
  },
  {
    about: ["NdisSendNetBufferLists", "NDIS_STATUS_PAUSED", "protocol-binding"],
    note: "No page says what becomes of a send on a binding that is not running. ndislab gives it back with NDIS_STATUS_PAUSED.",
  },
  {
    about: ["MiniportHaltEx", "port-free-before-halt-returns", "ndis-port"],
    note: "No page says what becomes of a port that is still allocated when MiniportHaltEx returns. ndislab reports it and frees it.",
  },
  {
    about: ["MiniportShutdownEx", "mp-shutdown-no-ndis-calls"],
    note: "The reference page allows more calls in an orderly shutdown than the conceptual page, which advises calling none.",
  },
];

export function errataAbout(names: readonly string[]): string[] {
  return errata.filter(({ about }) => about.some((name) => names.includes(name))).map(({ note }) => note);
}

/** Every name that a note is about, so that a test can compare them with the tables. */
export const erratumNames: readonly string[] = errata.flatMap(({ about }) => about);
