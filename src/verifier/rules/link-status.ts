/** Status indications about the link and the offload settings: when one is due, and when none is. */
import { constant, oidName } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Adapter } from "../../ndis/objects.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";
import { requestEnds } from "./oid-ends.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const LinkState = windowsStruct("NDIS_LINK_STATE");
const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const SET = constant("NdisRequestSetInformation");
const SET_POWER = constant("OID_PNP_SET_POWER");
const [LINK_STATE, OPER_STATUS, CURRENT_CONFIG] = [
  constant("NDIS_STATUS_LINK_STATE"),
  constant("NDIS_STATUS_OPER_STATUS"),
  constant("NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG"),
];
const OFFLOAD_TYPE = constant("NDIS_OBJECT_TYPE_OFFLOAD");
const OFFLOAD_BYTES = constant("NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1");
const CHANGES_OFFLOADS: ReadonlySet<number> = new Set([
  constant("OID_TCP_OFFLOAD_PARAMETERS") >>> 0,
  constant("OID_OFFLOAD_ENCAPSULATION") >>> 0,
]);

/** From an adapter's context to 1 after a change of power: the link state may be told again. */
const mayRepeat = shadowTable("adapters that may tell their link state again", 16);
/** From a request that changes the offload settings to the context of its adapter. */
const changing = shadowTable("requests that change offload settings", 64);
/** From an adapter's context to the OID that changed its offload settings, of which it has not told yet. */
const owed = shadowTable("changes of offload settings that are not told", 16);

const keyOf = (adapterContext: number): number => (adapterContext | 1) >>> 0;

/** The link state is the one that NDIS knows already. */
function isKnown({ k }: RuleContext, adapter: Adapter, address: number): boolean {
  const told = LinkState.at(k.memory, address);
  const known = GeneralAttributes.at(k.memory, adapter.generalAttributes);
  return (
    told.MediaConnectState === known.MediaConnectState &&
    told.MediaDuplexState === known.MediaDuplexState &&
    told.XmitLinkSpeed === known.XmitLinkSpeed &&
    told.RcvLinkSpeed === known.RcvLinkSpeed &&
    told.PauseFunctions === known.SupportedPauseFunctions &&
    told.AutoNegotiationFlags === known.AutoNegotiationFlags
  );
}

const ends = requestEnds(
  "the offload settings",
  ({ k, shadow }, request, adapterContext) => {
    const { RequestType, DATA_SET_INFORMATION_Oid: oid } = Request.at(k.memory, request);
    if (RequestType !== SET) return;
    if (oid === SET_POWER) shadow.set(mayRepeat, keyOf(adapterContext), 1);
    if (!CHANGES_OFFLOADS.has(oid >>> 0)) return;
    shadow.set(changing, request, keyOf(adapterContext));
    shadow.set(owed, keyOf(adapterContext), oid);
  },
  ({ shadow }, request, status) => {
    const key = shadow.get(changing, request);
    shadow.set(changing, request, 0);
    // Nothing has changed.
    if (key !== 0 && status !== 0) shadow.set(owed, key, 0);
  },
);

export const linkStatusRules = ruleSet(
  ["status-link-state-only-on-change", "status-oper-status-by-ndis", "status-offload-config-change"],
  [
    ...ends.watchers,
    on("call NdisMIndicateStatusEx", (context, { args: [handle = 0, address = 0] }) => {
      const { k, shadow, report } = context;
      const adapter = k.objects.resolve(handle, Adapter);
      if (adapter === undefined) return;
      const { StatusCode, StatusBuffer, StatusBufferSize } = Indication.at(k.memory, address);
      if (StatusCode === OPER_STATUS) {
        report({
          rule: "status-oper-status-by-ndis",
          message:
            "A miniport indicated NDIS_STATUS_OPER_STATUS. NDIS does that; a miniport tells of its link with NDIS_STATUS_LINK_STATE.",
        });
      }
      if (StatusCode === LINK_STATE && StatusBufferSize >= LinkState.bytes && adapter.generalAttributes !== 0) {
        const isRepeated = isKnown(context, adapter, StatusBuffer) && shadow.get(mayRepeat, keyOf(adapter.context)) === 0;
        shadow.set(mayRepeat, keyOf(adapter.context), 0);
        if (isRepeated) {
          report({
            rule: "status-link-state-only-on-change",
            message: "NDIS_STATUS_LINK_STATE was indicated with the link state that NDIS knows already. It is for changes.",
          });
        }
      }
      if (StatusCode !== CURRENT_CONFIG) return;
      shadow.set(owed, keyOf(adapter.context), 0);
      if (StatusBufferSize >= OFFLOAD_BYTES && k.memory.u8[StatusBuffer] === OFFLOAD_TYPE) return;
      report({
        rule: "status-offload-config-change",
        message: `NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG was indicated with ${StatusBufferSize} bytes that are no NDIS_OFFLOAD, which has at least ${OFFLOAD_BYTES}.`,
      });
    }),
    on("handler MiniportHaltEx", ({ k, shadow, report }, { args: [adapterContext = 0], target }) => {
      const oid = shadow.get(owed, keyOf(adapterContext)) >>> 0;
      shadow.set(owed, keyOf(adapterContext), 0);
      shadow.set(mayRepeat, keyOf(adapterContext), 0);
      if (oid === 0) return;
      report({
        rule: "status-offload-config-change",
        message: `${oidName(oid) ?? "An OID"} changed the offload settings, and the miniport is halted without having told of it. It indicates NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG with an NDIS_OFFLOAD after such a request.`,
        driver: k.driverOf(target),
        target,
      });
    }),
  ],
  [ends.table, mayRepeat, changing, owed],
);
