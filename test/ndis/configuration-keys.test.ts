/** Which key of the registry a configuration is, its subkeys, and the types of its values. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "../kernel/c-cases.ts";

const SHARED = `
static NDIS_HANDLE Open(NDIS_HANDLE of) {
  NDIS_CONFIGURATION_OBJECT object = {0};
  NDIS_HANDLE handle = NULL;
  object.Header.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT;
  object.Header.Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1;
  object.Header.Size = sizeof(object);
  object.NdisHandle = of;
  return NdisOpenConfigurationEx(&object, &handle) == NDIS_STATUS_SUCCESS ? handle : NULL;
}
static PNDIS_CONFIGURATION_PARAMETER Read(NDIS_HANDLE configuration, const WCHAR *keyword, NDIS_PARAMETER_TYPE type) {
  NDIS_STRING name;
  NDIS_STATUS status;
  PNDIS_CONFIGURATION_PARAMETER parameter = NULL;
  RtlInitUnicodeString(&name, keyword);
  NdisReadConfiguration(&status, &parameter, configuration, &name, type);
  return status == NDIS_STATUS_SUCCESS ? parameter : NULL;
}
static NDIS_STATUS Write(NDIS_HANDLE configuration, const WCHAR *keyword, PNDIS_CONFIGURATION_PARAMETER parameter) {
  NDIS_STRING name;
  NDIS_STATUS status;
  RtlInitUnicodeString(&name, keyword);
  NdisWriteConfiguration(&status, configuration, &name, parameter);
  return status;
}
static WCHAR Room[16];
static NDIS_STRING Name = {0, sizeof(Room), Room};
`;

const CASES = {
  keys: `
    NDIS_HANDLE adapter = Open(TheAdapter), driver = Open(TheMiniport);
    CHECK(Read(adapter, L"Depth", NdisParameterInteger)->ParameterData.IntegerData == 1);
    CHECK(Read(driver, L"Depth", NdisParameterInteger)->ParameterData.IntegerData == 2);
    CHECK(Read(adapter, L"Other", NdisParameterInteger) == NULL && Read(driver, L"Other", NdisParameterInteger) != NULL);
    CHECK(Open((NDIS_HANDLE)&Name) == NULL);
    NdisCloseConfiguration(adapter);
    NdisCloseConfiguration(driver);`,
  subkeys: `
    NDIS_HANDLE adapter = Open(TheAdapter), sub = NULL, deeper = NULL;
    NDIS_STATUS status;
    NDIS_STRING name;
    RtlInitUnicodeString(&name, L"first");
    NdisOpenConfigurationKeyByName(&status, adapter, &name, &sub);
    CHECK(status == NDIS_STATUS_SUCCESS && Read(sub, L"V", NdisParameterInteger)->ParameterData.IntegerData == 10);
    NdisCloseConfiguration(sub);
    RtlInitUnicodeString(&name, L"none");
    NdisOpenConfigurationKeyByName(&status, adapter, &name, &sub);
    CHECK(status == NDIS_STATUS_FAILURE);
    NdisOpenConfigurationKeyByIndex(&status, adapter, 1, &Name, &sub);
    CHECK(status == NDIS_STATUS_SUCCESS && Name.Length == 12 && memcmp(Room, L"Second", 12) == 0);
    NdisOpenConfigurationKeyByIndex(&status, sub, 0, &Name, &deeper);
    CHECK(status == NDIS_STATUS_SUCCESS && Read(deeper, L"V", NdisParameterInteger)->ParameterData.IntegerData == 30);
    NdisCloseConfiguration(deeper);
    NdisCloseConfiguration(sub);
    NdisOpenConfigurationKeyByIndex(&status, adapter, 2, &Name, &sub);
    CHECK(status == NDIS_STATUS_FAILURE);
    Name.MaximumLength = 4;
    NdisOpenConfigurationKeyByIndex(&status, adapter, 1, &Name, &sub);
    CHECK(status == NDIS_STATUS_FAILURE);
    NdisCloseConfiguration(adapter);`,
  types: `
    NDIS_HANDLE adapter = Open(TheAdapter);
    PNDIS_CONFIGURATION_PARAMETER p = Read(adapter, L"List", NdisParameterMultiString);
    CHECK(p->ParameterType == NdisParameterMultiString && p->ParameterData.StringData.Length == 8 && memcmp(p->ParameterData.StringData.Buffer, L"a\\0b\\0", 10) == 0);
    p = Read(adapter, L"Bytes", NdisParameterBinary);
    CHECK(p->ParameterType == NdisParameterBinary && p->ParameterData.BinaryData.Length == 3 && ((PUCHAR)p->ParameterData.BinaryData.Buffer)[2] == 3);
    p = Read(adapter, L"Text", NdisParameterHexInteger);
    CHECK(p->ParameterType == NdisParameterHexInteger && p->ParameterData.IntegerData == 0x12);
    p = Read(adapter, L"NdisVersion", NdisParameterInteger);
    CHECK(p->ParameterData.IntegerData == NdisGetVersion());
    CHECK(Read(adapter, L"ProcessorType", NdisParameterInteger)->ParameterData.IntegerData == NdisProcessorX86);
    CHECK(Read(adapter, L"Large", NdisParameterInteger) == NULL);
    NdisCloseConfiguration(adapter);`,
  deviceKeys: `
    PDEVICE_OBJECT physical = NULL;
    HANDLE key = NULL;
    UCHAR room[32];
    ULONG size;
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, L"Depth");
    NdisMGetDeviceProperty(TheAdapter, &physical, NULL, NULL, NULL, NULL);
    CHECK(IoOpenDeviceRegistryKey(physical, PLUGPLAY_REGKEY_DRIVER, KEY_READ, &key) == STATUS_SUCCESS);
    CHECK(ZwQueryValueKey(key, &name, KeyValuePartialInformation, room, sizeof(room), &size) == STATUS_SUCCESS && ((PKEY_VALUE_PARTIAL_INFORMATION)room)->Data[0] == 1);
    ZwClose(key);
    CHECK(IoOpenDeviceRegistryKey(physical, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &key) == STATUS_SUCCESS);
    CHECK(ZwQueryValueKey(key, &name, KeyValuePartialInformation, room, sizeof(room), &size) == STATUS_OBJECT_NAME_NOT_FOUND);
    ZwClose(key);
    CHECK(IoOpenDeviceRegistryKey(physical, PLUGPLAY_REGKEY_DEVICE | PLUGPLAY_REGKEY_DRIVER, KEY_READ, &key) == STATUS_INVALID_PARAMETER);
    CHECK(IoOpenDeviceRegistryKey((PDEVICE_OBJECT)room, PLUGPLAY_REGKEY_DRIVER, KEY_READ, &key) == STATUS_INVALID_PARAMETER && key == NULL);`,
  written: `
    NDIS_HANDLE adapter = Open(TheAdapter);
    NDIS_CONFIGURATION_PARAMETER given = {NdisParameterBinary}, *p;
    UCHAR bytes[2] = {8, 9};
    given.ParameterData.BinaryData.Length = 2;
    given.ParameterData.BinaryData.Buffer = bytes;
    CHECK(Write(adapter, L"Own", &given) == NDIS_STATUS_SUCCESS);
    p = Read(adapter, L"own", NdisParameterBinary);
    CHECK(p->ParameterType == NdisParameterBinary && p->ParameterData.BinaryData.Length == 2 && ((PUCHAR)p->ParameterData.BinaryData.Buffer)[1] == 9);
    p = Read(adapter, L"List", NdisParameterMultiString);
    CHECK(Write(adapter, L"Copy", p) == NDIS_STATUS_SUCCESS);
    p = Read(adapter, L"Copy", NdisParameterMultiString);
    CHECK(p->ParameterData.StringData.Length == 8 && memcmp(p->ParameterData.StringData.Buffer, L"a\\0b\\0", 10) == 0);
    given.ParameterType = 77;
    CHECK(Write(adapter, L"Own", &given) == NDIS_STATUS_NOT_SUPPORTED);
    NdisCloseConfiguration(adapter);`,
} as const;

const options = {
  registry: {
    0: {
      Depth: 1,
      List: ["a", "b"],
      Bytes: Uint8Array.of(1, 2, 3),
      Text: "12",
      Large: 5n,
      "First\\V": 10,
      "Second\\V": 20,
      "Second\\Deeper\\V": 30,
    },
  },
  services: { 0: { Depth: 2, Other: 3 } },
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES, "miniport");
});

describe("A configuration", () => {
  test.each([
    ["is the adapter's key or the driver's, as its handle says", "keys"],
    ["has subkeys, by name and by index", "subkeys"],
    ["has strings, lists, bytes and predefined entries", "types"],
    ["is one of the keys of the adapter's device, and the other is the hardware's", "deviceKeys"],
    ["is written with every type of parameter that is valid", "written"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name, options))).toEqual(allHolds);
  });
});
