/** What a report says that Windows has for the breach: bug checks and their names as on Microsoft's pages, and only where there is one. */
import { describe, expect, test } from "vitest";
import { rule, rules, windowsNames } from "../../src/contract/index.ts";
import { watchedRules } from "../../src/verifier/index.ts";

/** The page of bug check 0x7C: first parameter, name, and the rules whose breach ends in it. */
const BUGCODE_NDIS_DRIVER: readonly (readonly [parameter: string, name: string, ...rules: string[]])[] = [
  ["0x01", "NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL", "dma-shared-memory-passive"],
  ["0x03", "NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM", "dma-shared-memory-free-exact"],
  ["0x08", "NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER", "mp-halt-deregister-interrupt"],
  ["0x09", "NDIS_BUGCHECK_HALT_WITHOUT_CANCEL_TIMER", "timer-cancel-before-halt-end", "mp-halt-cancel-timers"],
  ["0x0A", "NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED", "driver-unload-premature"],
  ["0x0B", "NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER", "mp-init-interrupt-left"],
  ["0x0C", "NDIS_BUGCHECK_INIT_FAILED_WITHOUT_CANCEL_TIMER", "mp-init-timer-left"],
  ["0x0F", "NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED", "mp-reset-complete-unexpected"],
  ["0x14", "NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL", "waitevent-irql"],
  ["0x15", "NDIS_BUGCHECK_INVALID_NDIS5_CALL", "mp-ndis5-call"],
  ["0x16", "NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT", "bind-open-only-in-bind-context"],
  ["0x17", "NDIS_BUGCHECK_IFPROVIDER_DEREGISTER_UNEXPECTED", "if-deregister-order"],
  ["0x1B", "NDIS_BUGCHECK_IF_STACK_TABLE_LOOP", "im-ifstack"],
  ["0x1C", "NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED", "oid-must-succeed-list"],
  ["0x1D", "NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER", "oid-byteswritten-bound"],
  ["0x1F", "NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION", "mp-pause-complete-unexpected", "mp-restart-complete-unexpected"],
  ["0x20", "NDIS_BUGCHECK_STATUS_INDICATION_INVALID_BUFFER", "status-valid-buffer"],
  ["0x21", "NDIS_BUGCHECK_INVALID_OBJECT_HEADER", "oid-object-header-valid"],
  ["0x22", "NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT", "pnp-illegal-event"],
  ["0x25", "NDIS_BUGCHECK_WATCHDOG", "oid-pending-must-complete", "unbind-watchdog", "mp-halt-watchdog"],
  ["0x26", "NDIS_BUGCHECK_INVALID_OID_COMPLETION", "oid-complete-once", "oid-complete-not-pending-on-driver"],
  ["0x27", "NDIS_BUGCHECK_LEAKED_NBL", "unbind-leaked-nbl", "nbl-leak-detect"],
];

/** The table of NDIS rules on the page of bug check 0xC4, by what its parameter stands for. */
const DRIVER_VERIFIER: readonly (readonly [code: string, name: string, ...rules: string[]])[] = [
  ["0x00091001", "NdisOidComplete", "oid-complete-not-pending-status", "pm-set-power-cannot-fail"],
  ["0x00091002", "NdisOidDoubleComplete", "oid-complete-once"],
  ["0x00092003", "NdisTimedOidComplete", "NdisTimedOidComplete", "oid-time-limit"],
  ["0x0009200D", "NdisTimedDataSend", "NdisTimedDataSend", "send-miniport-complete", "send-time-limits"],
  ["0x0009200F", "NdisTimedDataHang", "NdisTimedDataHang", "send-miniport-complete"],
];

const expected: readonly (readonly [id: string, text: string])[] = [
  ...BUGCODE_NDIS_DRIVER.flatMap(([parameter, name, ...ids]) => ids.map((id) => [id, `0x7C/${parameter} ${name}`] as const)),
  ...DRIVER_VERIFIER.flatMap(([code, name, ...ids]) => ids.map((id) => [id, `0xC4/${code} ${name}`] as const)),
  ["send-miniport-complete", "0x15E/0x30 NDIS_BUGCHECK_STUCK_NBL"] as const,
].filter(([id]) => watchedRules.includes(id));
const namesOf = (id: string): string[] => {
  const found = rule(id);
  return found === undefined ? [] : windowsNames(found);
};

describe("A report", () => {
  test.each(expected)("of %s says %s", (id, text) => {
    expect(namesOf(id).some((name) => name.includes(text))).toBe(true);
  });

  test("has a code of Windows only where the pages have one", () => {
    const coded = watchedRules.filter((id) => namesOf(id).some((name) => /0x[0-9A-F]+\/0x/i.test(name)));
    expect(coded.toSorted()).toEqual([...new Set(expected.map(([id]) => id))].toSorted());
  });

  test("names the second parameter of the watchdog", () => {
    expect(namesOf("oid-pending-must-complete")).toEqual([
      "reset or 0x7C/0x25 NDIS_BUGCHECK_WATCHDOG, NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID",
    ]);
  });

  test("does not take the statuses that a driver may answer for what follows a breach", () => {
    expect(namesOf("send-status-values")).toEqual([]);
    expect(namesOf("port-free-deactivate-first")).toEqual(["NDIS_STATUS_INVALID_PORT_STATE"]);
  });

  test("never has a code without its name, where there is one", () => {
    const all = rules().flatMap((each) => windowsNames(each));
    expect(all.filter((name) => /0x(?:7C|15E)\/0x\w+(?! NDIS_BUGCHECK_)\b/.test(name))).toEqual([]);
  });
});
