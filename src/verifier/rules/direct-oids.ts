/** Rules of the direct and the synchronous OID interface. */
import { statusName } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { on, ruleSet } from "../rule.ts";

const Characteristics = windowsStruct("NDIS_MINIPORT_DRIVER_CHARACTERISTICS");
/** What no synchronous request may come to: it cannot wait, and cannot be cancelled. */
const IMPOSSIBLE: ReadonlySet<string | undefined> = new Set(["NDIS_STATUS_PENDING", "NDIS_STATUS_REQUEST_ABORTED"]);

export const directOidRules = ruleSet(
  ["oid-cancel-handlers-required", "oid-sync-no-pending"],
  [
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
