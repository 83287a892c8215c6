/** The registry: keys, values, and what the run-time library does with them. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "./c-cases.ts";

const SHARED = `
static UNICODE_STRING U(const WCHAR *text) { UNICODE_STRING s; RtlInitUnicodeString(&s, text); return s; }
static HANDLE Open(HANDLE root, const WCHAR *path, ACCESS_MASK access) {
  UNICODE_STRING name = U(path);
  OBJECT_ATTRIBUTES attributes;
  HANDLE key = NULL;
  InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, root, NULL);
  return ZwOpenKey(&key, access, &attributes) == STATUS_SUCCESS ? key : NULL;
}
static NTSTATUS Create(HANDLE root, const WCHAR *path, ACCESS_MASK access, PHANDLE key, PULONG disposition) {
  UNICODE_STRING name = U(path);
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, root, NULL);
  return ZwCreateKey(key, access, &attributes, 0, NULL, REG_OPTION_VOLATILE, disposition);
}
static HANDLE Own(ACCESS_MASK access) {
  OBJECT_ATTRIBUTES attributes;
  HANDLE key = NULL;
  InitializeObjectAttributes(&attributes, TheRegistryPath, OBJ_KERNEL_HANDLE, NULL, NULL);
  ZwOpenKey(&key, access, &attributes);
  return key;
}
static NTSTATUS Set(HANDLE key, const WCHAR *name, ULONG type, const void *data, ULONG bytes) {
  UNICODE_STRING s = U(name);
  return ZwSetValueKey(key, &s, 0, type, (PVOID)data, bytes);
}
static union { UCHAR Bytes[128]; KEY_VALUE_PARTIAL_INFORMATION Partial; KEY_VALUE_FULL_INFORMATION Full; KEY_VALUE_BASIC_INFORMATION Basic;
  KEY_BASIC_INFORMATION Key; KEY_FULL_INFORMATION FullKey; KEY_NAME_INFORMATION Name; KEY_NODE_INFORMATION Node; } Buffer;
static ULONG Size;
static NTSTATUS Query(HANDLE key, const WCHAR *name, KEY_VALUE_INFORMATION_CLASS which, ULONG length) {
  UNICODE_STRING s = U(name);
  memset(&Buffer, 0xCC, sizeof(Buffer));
  return ZwQueryValueKey(key, &s, which, &Buffer, length, &Size);
}
static int Told;
static WCHAR Names[10][16], Texts[10][16];
static ULONG Types[10], Lengths[10];
static NTSTATUS Answer = STATUS_SUCCESS;
static PVOID Contexts[2];
static NTSTATUS Tell(PWSTR name, ULONG type, PVOID data, ULONG length, PVOID context, PVOID entryContext) {
  if (name != NULL) wcscpy(Names[Told], name);
  if (data != NULL && length <= 32) memcpy(Texts[Told], data, length);
  Types[Told] = type;
  Lengths[Told] = length;
  Contexts[0] = context;
  Contexts[1] = entryContext;
  Told++;
  return Answer;
}
static NTSTATUS QueryTable(RTL_QUERY_REGISTRY_TABLE *table) { return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"driver0\\\\Parameters", table, &Told, NULL); }
`;

const CASES = {
  ownKey: `
    HANDLE key = Own(KEY_READ), parameters = Open(key, L"parameters", KEY_READ);
    CHECK(key != NULL && parameters != NULL);
    CHECK(Query(parameters, L"DEPTH", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_SUCCESS);
    CHECK(Buffer.Partial.Type == REG_DWORD && Buffer.Partial.DataLength == 4 && *(PULONG)Buffer.Partial.Data == 7 && Size == 16);
    CHECK(Query(parameters, L"List", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_SUCCESS);
    CHECK(Buffer.Partial.Type == REG_MULTI_SZ && Buffer.Partial.DataLength == 10 && memcmp(Buffer.Partial.Data, L"a\\0b\\0", 10) == 0);
    CHECK(Query(parameters, L"Large", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_SUCCESS);
    CHECK(Buffer.Partial.Type == REG_QWORD && *(PULONGLONG)Buffer.Partial.Data == 0x100000002ULL);
    CHECK(Query(parameters, L"Bytes", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_SUCCESS && Buffer.Partial.Type == REG_BINARY);
    CHECK(Query(parameters, L"None", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_OBJECT_NAME_NOT_FOUND);
    ZwClose(parameters);
    ZwClose(key);
    key = Open(NULL, L"\\\\Registry\\\\Machine\\\\SYSTEM\\\\CurrentControlSet\\\\Services\\\\driver0\\\\Parameters\\\\Sub", KEY_READ);
    CHECK(Query(key, L"Text", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_SUCCESS && wcscmp((PWSTR)Buffer.Partial.Data, L"inner") == 0);
    ZwClose(key);`,
  buffers: `
    HANDLE key = Open(NULL, L"\\\\Registry\\\\Machine\\\\System\\\\CurrentControlSet\\\\Services\\\\driver0\\\\Parameters", KEY_QUERY_VALUE);
    CHECK(Query(key, L"Name", KeyValuePartialInformation, 11) == STATUS_BUFFER_TOO_SMALL && Size == 22 && Buffer.Bytes[0] == 0xCC);
    CHECK(Query(key, L"Name", KeyValuePartialInformation, 12) == STATUS_BUFFER_OVERFLOW && Buffer.Partial.DataLength == 10 && Buffer.Partial.Data[0] == 0xCC);
    CHECK(Query(key, L"Name", KeyValuePartialInformation, 21) == STATUS_BUFFER_OVERFLOW && Size == 22 && Buffer.Partial.Data[0] == 'f');
    CHECK(Query(key, L"Name", KeyValuePartialInformation, 22) == STATUS_SUCCESS);
    CHECK(Query(key, L"Name", KeyValuePartialInformation, 0) == STATUS_BUFFER_TOO_SMALL);
    CHECK(Query(key, L"Name", KeyValueBasicInformation, sizeof(Buffer)) == STATUS_SUCCESS && Buffer.Basic.NameLength == 8 && Size == 20);
    CHECK(Query(key, L"Name", KeyValueFullInformation, sizeof(Buffer)) == STATUS_SUCCESS);
    CHECK(Buffer.Full.NameLength == 8 && Buffer.Full.DataLength == 10 && wcscmp((PWSTR)&Buffer.Bytes[Buffer.Full.DataOffset], L"fast") == 0);
    CHECK(Query(key, L"Name", 99, sizeof(Buffer)) == STATUS_INVALID_PARAMETER);
    ZwClose(key);`,
  access: `
    HANDLE key = Own(KEY_READ), made = NULL;
    UNICODE_STRING name = U(L"Depth");
    CHECK(Set(key, L"Depth", REG_DWORD, &Size, 4) == STATUS_ACCESS_DENIED && ZwDeleteKey(key) == STATUS_ACCESS_DENIED);
    CHECK(ZwDeleteValueKey(key, &name) == STATUS_ACCESS_DENIED);
    CHECK(Create(key, L"New", KEY_ALL_ACCESS, &made, NULL) == STATUS_ACCESS_DENIED);
    ZwClose(key);
    key = Own(KEY_SET_VALUE);
    CHECK(Query(key, L"Depth", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_ACCESS_DENIED);
    ZwClose(key);
    CHECK(Query(key, L"Depth", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_INVALID_HANDLE);`,
  createAndDelete: `
    HANDLE key = Own(KEY_ALL_ACCESS), one, two, again;
    ULONG disposition, value = 5;
    CHECK(Create(key, L"One", KEY_ALL_ACCESS, &one, &disposition) == STATUS_SUCCESS && disposition == REG_CREATED_NEW_KEY);
    CHECK(Create(key, L"ONE", KEY_ALL_ACCESS, &again, &disposition) == STATUS_SUCCESS && disposition == REG_OPENED_EXISTING_KEY);
    CHECK(Create(key, L"Missing\\\\Two", KEY_ALL_ACCESS, &two, NULL) == STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(Create(one, L"Two", KEY_ALL_ACCESS, &two, NULL) == STATUS_SUCCESS);
    CHECK(Set(two, L"V", REG_DWORD, &value, 4) == STATUS_SUCCESS && Query(two, L"v", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_SUCCESS);
    CHECK(Set(two, L"V", REG_SZ, L"x", 4) == STATUS_SUCCESS && Query(two, L"v", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_SUCCESS && Buffer.Partial.Type == REG_SZ);
    CHECK(Set(two, NULL, REG_SZ, L"y", 4) == STATUS_SUCCESS && ZwEnumerateValueKey(two, 1, KeyValueBasicInformation, &Buffer, sizeof(Buffer), &Size) == STATUS_SUCCESS);
    CHECK(Buffer.Basic.NameLength == 0 && ZwEnumerateValueKey(two, 2, KeyValueBasicInformation, &Buffer, sizeof(Buffer), &Size) == STATUS_NO_MORE_ENTRIES);
    CHECK(ZwDeleteKey(one) == STATUS_CANNOT_DELETE && ZwDeleteKey(two) == STATUS_SUCCESS);
    CHECK(Query(two, L"v", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_KEY_DELETED);
    CHECK(ZwDeleteKey(again) == STATUS_SUCCESS && Open(key, L"One", KEY_READ) == NULL);
    CHECK(ZwClose(one) == STATUS_SUCCESS && ZwClose(two) == STATUS_SUCCESS && ZwClose(again) == STATUS_SUCCESS);
    ZwClose(key);`,
  enumerate: `
    HANDLE key = Own(KEY_ALL_ACCESS), one, two;
    Create(key, L"One", KEY_ALL_ACCESS, &one, NULL);
    Create(key, L"Second", KEY_ALL_ACCESS, &two, NULL);
    CHECK(ZwEnumerateKey(key, 2, KeyBasicInformation, &Buffer, sizeof(Buffer), &Size) == STATUS_SUCCESS);
    CHECK(Buffer.Key.NameLength == 12 && memcmp(Buffer.Key.Name, L"Second", 12) == 0 && Size == 28);
    CHECK(ZwEnumerateKey(key, 3, KeyBasicInformation, &Buffer, sizeof(Buffer), &Size) == STATUS_NO_MORE_ENTRIES);
    CHECK(ZwEnumerateKey(key, 1, KeyNodeInformation, &Buffer, sizeof(Buffer), &Size) == STATUS_SUCCESS && Buffer.Node.NameLength == 6);
    CHECK(ZwQueryKey(key, KeyFullInformation, &Buffer, sizeof(Buffer), &Size) == STATUS_SUCCESS);
    CHECK(Buffer.FullKey.SubKeys == 3 && Buffer.FullKey.MaxNameLen == 20 && Buffer.FullKey.Values == 0);
    CHECK(ZwQueryKey(two, KeyNameInformation, &Buffer, 20, &Size) == STATUS_BUFFER_OVERFLOW && Buffer.Name.Name[0] == L'\\\\');
    CHECK(ZwQueryKey(key, 77, &Buffer, sizeof(Buffer), &Size) == STATUS_INVALID_PARAMETER);
    ZwClose(one); ZwClose(two); ZwClose(key);`,
  byPath: `
    ULONG value = 9;
    CHECK(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"driver0\\\\Parameters") == STATUS_SUCCESS);
    CHECK(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"driver0\\\\Other") == STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, L"driver0\\\\A\\\\B") == STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, L"driver0\\\\A") == STATUS_SUCCESS);
    CHECK(RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, TheRegistryPath->Buffer, L"V", REG_DWORD, &value, 4) == STATUS_SUCCESS);
    HANDLE key = Own(KEY_READ);
    CHECK(Query(key, L"V", KeyValuePartialInformation, sizeof(Buffer)) == STATUS_SUCCESS && Buffer.Partial.Data[0] == 9);
    CHECK(RtlDeleteRegistryValue(RTL_REGISTRY_HANDLE, (PCWSTR)key, L"V") == STATUS_SUCCESS);
    CHECK(RtlDeleteRegistryValue(RTL_REGISTRY_HANDLE, (PCWSTR)key, L"V") == STATUS_OBJECT_NAME_NOT_FOUND);
    ZwClose(key);`,
  direct: `
    WCHAR room[8];
    ULONG depth = 0, missing = 0, fallback = 3;
    UNICODE_STRING own = {0, sizeof(room), room}, allocated = {0, 0, NULL};
    struct { LONG size; UCHAR data[20]; } bytes = {-20}, typed = {24};
    RTL_QUERY_REGISTRY_TABLE table[] = {
      {NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK, L"Depth", &depth, (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE, NULL, 0},
      {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Name", &own, REG_NONE, NULL, 0},
      {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Name", &allocated, REG_NONE, NULL, 0},
      {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Missing", &missing, REG_DWORD, &fallback, 4},
      {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Bytes", &bytes, REG_NONE, NULL, 0},
      {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Bytes", &typed, REG_NONE, NULL, 0},
      {0}};
    CHECK(QueryTable(table) == STATUS_SUCCESS && depth == 7 && missing == 3);
    CHECK(own.Length == 8 && own.Buffer == room && wcscmp(room, L"fast") == 0);
    CHECK(allocated.Length == 8 && allocated.MaximumLength == 10 && wcscmp(allocated.Buffer, L"fast") == 0);
    ExFreePool(allocated.Buffer);
    CHECK(((PUCHAR)&bytes)[0] == 1 && ((PUCHAR)&bytes)[5] == 6);
    CHECK(typed.size == 6 && *(PULONG)typed.data == REG_BINARY && typed.data[4] == 1);
    own.MaximumLength = 8;
    RTL_QUERY_REGISTRY_TABLE small[] = {{NULL, RTL_QUERY_REGISTRY_DIRECT, L"Name", &own, REG_NONE, NULL, 0}, {0}};
    CHECK(QueryTable(small) == STATUS_BUFFER_TOO_SMALL);
    RTL_QUERY_REGISTRY_TABLE wrong[] = {{NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK, L"Name", &depth, REG_DWORD << 24, NULL, 0}, {0}};
    CHECK(QueryTable(wrong) == STATUS_OBJECT_TYPE_MISMATCH);
    RTL_QUERY_REGISTRY_TABLE required[] = {{NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED, L"Missing", &depth, REG_NONE, NULL, 0}, {0}};
    CHECK(QueryTable(required) == STATUS_OBJECT_NAME_NOT_FOUND);
    RTL_QUERY_REGISTRY_TABLE nameless[] = {{Tell, RTL_QUERY_REGISTRY_DIRECT, L"Depth", &depth, REG_NONE, NULL, 0}, {0}};
    CHECK(QueryTable(nameless) == STATUS_INVALID_PARAMETER);
    CHECK(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"nowhere", small, NULL, NULL) == STATUS_OBJECT_NAME_NOT_FOUND);`,
  routine: `
    ULONG fallback = 3;
    RTL_QUERY_REGISTRY_TABLE table[] = {
      {Tell, 0, L"Name", &fallback, REG_NONE, NULL, 0},
      {Tell, 0, L"List", NULL, REG_NONE, NULL, 0},
      {Tell, RTL_QUERY_REGISTRY_NOEXPAND, L"List", NULL, REG_NONE, NULL, 0},
      {Tell, 0, L"Missing", NULL, REG_NONE, NULL, 0},
      {Tell, 0, L"Missing", NULL, REG_DWORD, &fallback, 4},
      {Tell, RTL_QUERY_REGISTRY_NOVALUE, NULL, &fallback, REG_NONE, NULL, 0},
      {0}};
    CHECK(QueryTable(table) == STATUS_SUCCESS && Told == 6);
    CHECK(wcscmp(Names[0], L"Name") == 0 && wcscmp(Texts[0], L"fast") == 0 && Types[0] == REG_SZ && Lengths[0] == 10);
    CHECK(wcscmp(Texts[1], L"a") == 0 && wcscmp(Texts[2], L"b") == 0 && Types[2] == REG_SZ && Lengths[2] == 4);
    CHECK(Types[3] == REG_MULTI_SZ && Lengths[3] == 10);
    CHECK(Types[4] == REG_DWORD && Texts[4][0] == 3);
    CHECK(Types[5] == REG_NONE && Lengths[5] == 0 && Contexts[0] == &Told && Contexts[1] == &fallback);`,
  allValues: `
    RTL_QUERY_REGISTRY_TABLE table[] = {
      {Tell, RTL_QUERY_REGISTRY_SUBKEY, L"Sub", NULL, REG_NONE, NULL, 0},
      {Tell, RTL_QUERY_REGISTRY_TOPKEY, L"Depth", NULL, REG_NONE, NULL, 0},
      {0}};
    CHECK(QueryTable(table) == STATUS_SUCCESS && Told == 2 && wcscmp(Names[0], L"Text") == 0 && wcscmp(Names[1], L"Depth") == 0);
    RTL_QUERY_REGISTRY_TABLE every[] = {{Tell, RTL_QUERY_REGISTRY_NOEXPAND, NULL, NULL, REG_NONE, NULL, 0}, {0}};
    Told = 0;
    CHECK(QueryTable(every) == STATUS_SUCCESS && Told == 5 && wcscmp(Names[4], L"Bytes") == 0);`,
  routineFails: `
    RTL_QUERY_REGISTRY_TABLE table[] = {{Tell, 0, L"Name", NULL, REG_NONE, NULL, 0}, {Tell, 0, L"Depth", NULL, REG_NONE, NULL, 0}, {0}};
    Answer = STATUS_UNSUCCESSFUL;
    CHECK(QueryTable(table) == STATUS_UNSUCCESSFUL && Told == 1);
    Answer = STATUS_BUFFER_TOO_SMALL;
    CHECK(QueryTable(table) == STATUS_SUCCESS && Told == 3);`,
  deleteAfterQuery: `
    ULONG depth = 0;
    RTL_QUERY_REGISTRY_TABLE table[] = {{NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_DELETE, L"Depth", &depth, REG_NONE, NULL, 0}, {0}};
    CHECK(QueryTable(table) == STATUS_SUCCESS && depth == 7);
    depth = 0;
    CHECK(QueryTable(table) == STATUS_SUCCESS && depth == 0);`,
} as const;

const services = {
  0: {
    Depth: 7,
    Name: "fast",
    List: ["a", "b"],
    Large: 0x1_0000_0002n,
    Bytes: Uint8Array.of(1, 2, 3, 4, 5, 6),
    "Sub\\Text": "inner",
  },
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES);
});

describe("The registry", () => {
  test.each([
    ["has the driver's own key, with values of every type; names have no case", "ownKey"],
    ["gives nothing to a buffer without the fixed part, and a part to one that is too small", "buffers"],
    ["asks of a handle that it was opened for the access", "access"],
    ["gets new keys under keys that are there, and loses keys without subkeys", "createAndDelete"],
    ["enumerates subkeys and tells about a key", "enumerate"],
    ["is written by paths", "byPath"],
    ["stores the values of a table directly, by their types", "direct"],
    ["tells the values of a table to a function, each string of a list by itself", "routine"],
    ["tells all values of a key or a subkey", "allValues"],
    ["stops when the function fails, but for STATUS_BUFFER_TOO_SMALL", "routineFails"],
    ["loses a value that was to be deleted after the query", "deleteAfterQuery"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name, { services }))).toEqual(allHolds);
  });
});
