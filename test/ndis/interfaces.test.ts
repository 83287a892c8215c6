/** Interface providers, their interfaces, and the interface stack. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "../kernel/c-cases.ts";

const SHARED = `
static NDIS_STATUS QueryObject(NDIS_HANDLE context, NET_IF_OBJECT_ID id, PULONG length, PVOID buffer) { return NDIS_STATUS_NOT_SUPPORTED; }
static NDIS_STATUS SetObject(NDIS_HANDLE context, NET_IF_OBJECT_ID id, ULONG length, PVOID buffer) { return NDIS_STATUS_NOT_SUPPORTED; }
static NDIS_IF_PROVIDER_CHARACTERISTICS Own;
static NDIS_HANDLE Provider(void) {
  NDIS_HANDLE handle = NULL;
  Own.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  Own.Header.Revision = NDIS_OBJECT_REVISION_1;
  Own.Header.Size = NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1;
  Own.QueryObjectHandler = QueryObject;
  Own.SetObjectHandler = SetObject;
  return NdisIfRegisterProvider(&Own, NULL, &handle) == NDIS_STATUS_SUCCESS ? handle : NULL;
}
static NET_IF_INFORMATION Information;
static NET_LUID Luid(UINT32 index) { NET_LUID luid; NDIS_MAKE_NET_LUID(&luid, IF_TYPE_IEEE80211, index); return luid; }
`;

const CASES = {
  provider: `
    NDIS_HANDLE handle;
    Own.Header.Revision = 0;
    CHECK(NdisIfRegisterProvider(&Own, NULL, &handle) == NDIS_STATUS_NOT_SUPPORTED);
    handle = Provider();
    CHECK(handle != NULL);
    NdisIfDeregisterProvider(handle);
    Own.SetObjectHandler = NULL;
    CHECK(NdisIfRegisterProvider(&Own, NULL, &handle) == NDIS_STATUS_INVALID_PARAMETER);`,
  interfaces: `
    NDIS_HANDLE provider = Provider();
    UINT32 one = 0, two = 0;
    NET_IFINDEX index = 0, again = 0, found = 0;
    NET_LUID luid;
    CHECK(NdisIfAllocateNetLuidIndex(IF_TYPE_IEEE80211, &one) == NDIS_STATUS_SUCCESS && NdisIfAllocateNetLuidIndex(IF_TYPE_IEEE80211, &two) == NDIS_STATUS_SUCCESS);
    CHECK(one != two && one < 0x1000000);
    CHECK(NdisIfRegisterInterface(provider, Luid(one), NULL, &Information, &index) == NDIS_STATUS_SUCCESS && index != 0);
    CHECK(NdisIfRegisterInterface(provider, Luid(one), NULL, &Information, &again) == STATUS_DUPLICATE_OBJECTID);
    CHECK(NdisIfRegisterInterface(provider, Luid(two + 1), NULL, &Information, &again) == NDIS_STATUS_INVALID_PARAMETER);
    CHECK(NdisIfRegisterInterface(provider, Luid(two), NULL, &Information, &again) == NDIS_STATUS_SUCCESS && again != index);
    CHECK(NdisIfGetInterfaceIndexFromNetLuid(Luid(one), &found) == NDIS_STATUS_SUCCESS && found == index);
    CHECK(NdisIfGetNetLuidFromInterfaceIndex(again, &luid) == NDIS_STATUS_SUCCESS && luid.Value == Luid(two).Value);
    CHECK(NdisIfAddIfStackEntry(index, again) == NDIS_STATUS_SUCCESS && NdisIfAddIfStackEntry(index, 9999) == NDIS_STATUS_INTERFACE_NOT_FOUND);
    NdisIfDeleteIfStackEntry(index, again);
    NdisIfDeregisterInterface(index);
    CHECK(NdisIfGetInterfaceIndexFromNetLuid(Luid(one), &found) == NDIS_STATUS_INTERFACE_NOT_FOUND);
    NdisIfDeregisterInterface(again);
    NdisIfDeregisterProvider(provider);
    CHECK(NdisIfFreeNetLuidIndex(IF_TYPE_ETHERNET_CSMACD, one) == NDIS_STATUS_INVALID_PARAMETER);
    CHECK(NdisIfFreeNetLuidIndex(IF_TYPE_IEEE80211, one) == NDIS_STATUS_SUCCESS && NdisIfFreeNetLuidIndex(IF_TYPE_IEEE80211, one) == NDIS_STATUS_INVALID_PARAMETER);`,
  adapter: `
    NET_LUID luid;
    NET_IFINDEX index = 0;
    CHECK(NdisIfGetNetLuidFromInterfaceIndex(TheParameters->IfIndex, &luid) == NDIS_STATUS_SUCCESS && luid.Value == TheParameters->NetLuid.Value);
    CHECK(luid.Info.IfType == IF_TYPE_ETHERNET_CSMACD && luid.Info.NetLuidIndex != 0);
    CHECK(NdisIfGetInterfaceIndexFromNetLuid(luid, &index) == NDIS_STATUS_SUCCESS && index == TheParameters->IfIndex);`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES, "miniport");
});

describe("A network interface", () => {
  test.each([
    ["has a provider, which is refused without its functions or its version", "provider"],
    ["has an index and a NET_LUID that nobody else has, and a place in the stack", "interfaces"],
    ["is every adapter, with the numbers of its initialization parameters", "adapter"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name))).toEqual(allHolds);
  });
});
