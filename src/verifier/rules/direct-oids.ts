/** Rules of the direct and the synchronous OID interface. */
import { oidName, statusName } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { type Watcher, on, ruleSet } from "../rule.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
/**
 * The pages of the OIDs say which of the two interfaces takes them. Undocumented: whether it takes an OID whose page is silent and which came
 * with the technology that it was made for. Only the OIDs that every adapter knows are taken for general ones.
 */
const GENERAL = /^OID_(?:GEN|802_3|PNP|PM)_/;
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  NdisDirectOidRequest: [],
  NdisSynchronousOidRequest: ["OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES"],
};
const generalOids: Watcher[] = (
  [
    ["NdisDirectOidRequest", "oid-direct-only-listed"],
    ["NdisSynchronousOidRequest", "oid-sync-only-listed"],
  ] as const
).map(([name, rule]) =>
  on(`call ${name}`, ({ k, report }, { args: [, request = 0] }) => {
    const oid = oidName(Request.at(k.memory, request).DATA_QUERY_INFORMATION_Oid >>> 0) ?? "";
    if (!GENERAL.test(oid) || TAKEN[name]?.includes(oid) === true) return;
    report({ rule, message: `${name} was called for ${oid}, which is a general OID. Those are asked for by NdisOidRequest.` });
  }),
);

const Characteristics = windowsStruct("NDIS_MINIPORT_DRIVER_CHARACTERISTICS");
/** What no synchronous request may come to: it cannot wait, and cannot be cancelled. */
const IMPOSSIBLE: ReadonlySet<string | undefined> = new Set(["NDIS_STATUS_PENDING", "NDIS_STATUS_REQUEST_ABORTED"]);

export const directOidRules = ruleSet(
  ["oid-cancel-handlers-required", "oid-sync-no-pending", "oid-direct-only-listed", "oid-sync-only-listed"],
  [
    ...generalOids,
    on("call NdisMRegisterMiniportDriver", ({ k, report }, { args }) => {
      const given = Characteristics.at(k.memory, args[3] ?? 0);
      if (given.Header_Revision < 2) return;
      const { DirectOidRequestHandler, CancelDirectOidRequestHandler } = given;
      if ((DirectOidRequestHandler === 0) === (CancelDirectOidRequestHandler === 0)) return;
      const missing = DirectOidRequestHandler === 0 ? "MiniportDirectOidRequest" : "MiniportCancelDirectOidRequest";
      report({
        rule: "oid-cancel-handlers-required",
        message: `The miniport registers without ${missing}. A driver that has one of the two handlers of direct OID requests has both.`,
      });
    }),
    on("handler return MiniportSynchronousOidRequest", ({ report }, { result, returning, target }) => {
      const name = statusName(result);
      if (!IMPOSSIBLE.has(name)) return;
      report({
        rule: "oid-sync-no-pending",
        message: `MiniportSynchronousOidRequest returned ${name}. A synchronous request is complete when the handler returns, and cannot be cancelled.`,
        driver: returning,
        target,
      });
    }),
  ],
);
