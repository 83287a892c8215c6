import { describe, expect, test } from "vitest";
import { readKnowledge } from "../../src/cli/installed.ts";
import { nameOf } from "../../src/cli/contract-tables.ts";
import { closest } from "../../src/cli/explain/closest.ts";
import { erratumNames } from "../../src/cli/explain/errata.ts";
import { objectNames } from "../../src/cli/explain/object-page.ts";
import { ndislab } from "./worlds.ts";

async function explained(name: string): Promise<string> {
  const { exitCode, out } = await ndislab(["explain", name]);
  expect(exitCode).toBe(0);
  return out;
}

describe("explain", () => {
  test("a rule: what it asks, of whom, in which state, what follows, where it stands", async () => {
    const text = await explained("port-free-deactivate-first");
    expect(text).toContain("must be deactivated with the deactivation event before it is freed");
    expect(text).toContain("modality    must: breaking it is an error");
    expect(text).toContain("drivers     miniport");
    expect(text).toContain("in state    Activated");
    expect(text).toContain("asks for    NdisMNetPnPEvent");
    expect(text).toContain("Windows     NDIS_STATUS_INVALID_PORT_STATE");
    expect(text).toContain("https://learn.microsoft.com/windows-hardware/drivers/network/deactivating-an-ndis-port");
    expect(text).toContain("NdisMFreePort     routine, IRQL <=DISPATCH");
  });

  test("a rule that the contract has no id for", async () => {
    expect(await explained("hung")).toContain("somebody\n  still owed");
  });

  test("a routine: signature, IRQL, statuses, whether ndislab has it, and where its pages are wrong", async () => {
    const text = await explained("NdisMFreePort");
    expect(text).toContain(
      "  NDIS_STATUS NdisMFreePort(\n      NDIS_HANDLE      NdisMiniportHandle,\n      NDIS_PORT_NUMBER PortNumber\n  )",
    );
    expect(text).toContain("IRQL        <=DISPATCH");
    expect(text).toContain("NDIS_STATUS_INVALID_PORT_STATE");
    expect(text).toContain("ndislab     implemented");
    expect(text).toContain("Where the documentation is wrong or silent");
  });

  test("capitals do not matter", async () => {
    expect(await explained("ndismfreeport")).toBe(await explained("NdisMFreePort"));
  });

  test("a routine of the kernel", async () => {
    expect(await explained("KeInitializeEvent")).toContain("routine, wdm.h");
  });

  test("a handler, by the name on its page and by the name of its type", async () => {
    const text = await explained("ProtocolUnbindAdapterEx");
    expect(text).toContain("handler of a driver");
    expect(text).toContain("ndislab     called");
    expect(await explained("PROTOCOL_UNBIND_ADAPTER_EX")).toBe(text);
  });

  test("the unbind's final status, which only the conceptual page knows", async () => {
    expect(await explained("NdisCompleteUnbindAdapterEx")).toContain(
      "The function takes the UnbindContext only, and returns nothing.",
    );
  });

  test("a status by name", async () => {
    const text = await explained("NDIS_STATUS_PENDING");
    expect(text).toContain("value       0x00000103 (259)");
    expect(text).toContain("same as     STATUS_PENDING");
    expect(text).toContain("ProtocolUnbindAdapterEx");
  });

  test.each(["0xC0000001", "0xc0000001", "-1073741823", "3221225473"])("a status by value: %s", async (value) => {
    expect(await explained(value)).toContain("NDIS_STATUS_FAILURE  status of NDIS");
  });

  test("an OID by name and by value", async () => {
    const text = await explained("OID_GEN_CURRENT_PACKET_FILTER");
    expect(text).toContain("value       0x0001010E");
    expect(await explained("0x1010E")).toBe(text);
  });

  test("a structure: fields with their offsets, revisions, who takes it, by its name and by its pointer's", async () => {
    const text = await explained("NDIS_PORT_CHARACTERISTICS");
    expect(text).toContain("size        64 bytes with pointers of 32 bits");
    expect(text).toMatch(/^ {7}0 {2}NDIS_OBJECT_HEADER Header$/m);
    expect(text).toMatch(/^ {7}4 {2}NDIS_PORT_NUMBER PortNumber$/m);
    expect(text).toContain("taken by    NdisMAllocatePort");
    expect(text).toContain("NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1 = 60");
    expect(await explained("PNDIS_PORT_CHARACTERISTICS")).toBe(text);
  });

  test("a structure's arrays, pointers and unions, as C declares them", async () => {
    const text = await explained("NET_BUFFER_LIST");
    expect(text).toContain("      76  union\n      76    NDIS_STATUS Status\n");
    expect(text).toContain("NET_BUFFER_LIST_CONTEXT *Context");
    expect(text).toContain("PVOID MiniportReserved[2]");
  });

  test("a bug check with all its first parameters, however the code is written", async () => {
    const text = await explained("0x7C");
    expect(text).toContain("0x7C BUGCODE_NDIS_DRIVER  bug check");
    expect(text).toContain("0x27  NDIS_BUGCHECK_LEAKED_NBL");
    expect(await explained("0x0000007c")).toContain("NDIS_BUGCHECK_LEAKED_NBL");
    expect(await explained("BUGCODE_NDIS_DRIVER")).toBe(text);
  });

  test("one bug check, with its second parameters and the rules that lead there", async () => {
    const text = await explained("0x7C/0x25");
    expect(text).toContain("0x04  NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND");
    expect(text).toContain("unbind-watchdog");
    expect(await explained("NDIS_BUGCHECK_LEAKED_NBL")).toContain("0x27");
  });

  test("an object: states, transitions, what may be done, rules", async () => {
    const text = await explained("port");
    expect(text).toContain("(not allocated), Allocated, Activated");
    expect(text).toContain("Allocated → Activated");
    expect(text).toContain("port-free-deactivate-first");
    expect(await explained("ndis-port")).toBe(text);
  });

  test("an unknown name gets the nearest ones", async () => {
    const { exitCode, out, err } = await ndislab("explain NdisFreePort");
    expect(exitCode).toBe(1);
    expect(out).toBe("");
    expect(err).toContain("nothing is known of 'NdisFreePort'. Did you mean NdisMFreePort");
  });

  test("a name that is near to nothing gets what could be asked", async () => {
    const { exitCode, err } = await ndislab("explain qqqqqqqqqqqqqqq");
    expect(exitCode).toBe(1);
    expect(err).toContain("'ndislab list rules' names the rules");
  });

  test("every rule, routine, constant, bug check and object has a page", async () => {
    const { rules, ddis, constants, ...knowledge } = await readKnowledge();
    const { explain } = await import("../../src/cli/explain/explain.ts");
    const names = [
      ...rules.map(({ id }) => id),
      ...ddis.map(nameOf),
      ...knowledge.structures.map(({ name }) => name),
      ...constants.filter((_, index) => index % 50 === 0).map(({ name }) => name),
      ...objectNames({ rules, ddis, constants, ...knowledge }),
    ];
    const { createColors } = (await import("picocolors")).default;
    const style = { colors: createColors(false), width: 100 };
    const without = names.filter((name) => explain(name, { rules, ddis, constants, ...knowledge }, style).length < 2);
    expect(without).toEqual([]);
  });

  test("notes on the documentation are about names that there are", async () => {
    const knowledge = await readKnowledge();
    const names = new Set([
      ...knowledge.rules.map(({ id }) => id),
      ...knowledge.ddis.map(nameOf),
      ...knowledge.constants.map(({ name }) => name),
      ...knowledge.structures.map(({ name }) => name),
      ...objectNames(knowledge),
    ]);
    expect(erratumNames.filter((name) => !names.has(name))).toEqual([]);
  });
});

describe("The closest names", () => {
  const names = ["NdisMFreePort", "NdisMAllocatePort", "NdisFreeMdl", "port-free-anytime", "bugcheck"];
  test.each([
    ["NdisMFreePrt", ["NdisMFreePort"]],
    ["ndis-m-free-port", ["NdisMFreePort"]],
    ["freeport", ["NdisMFreePort"]],
    ["bug-chekc", ["bugcheck"]],
    ["something else", []],
  ])("to %s", (typed, expected) => {
    expect(closest(typed, names, 1)).toEqual(expected);
  });
});
