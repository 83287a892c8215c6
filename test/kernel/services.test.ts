/** Callback objects, versions, random numbers, UUIDs, error codes, the error log, extensions of driver objects. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "./c-cases.ts";

const SHARED = `
static UNICODE_STRING U(const WCHAR *text) { UNICODE_STRING s; RtlInitUnicodeString(&s, text); return s; }
static PCALLBACK_OBJECT Object(const WCHAR *name, BOOLEAN create, BOOLEAN many) {
  UNICODE_STRING s = U(name);
  OBJECT_ATTRIBUTES attributes;
  PCALLBACK_OBJECT object = NULL;
  InitializeObjectAttributes(&attributes, &s, OBJ_CASE_INSENSITIVE, NULL, NULL);
  return ExCreateCallback(&object, &attributes, create, many) == STATUS_SUCCESS ? object : NULL;
}
static ULONG Order, Sum;
static KIRQL Irql;
static void First(PVOID context, PVOID one, PVOID two) { Order = Order * 10 + 1; Sum += *(PULONG)context + (ULONG)(ULONG_PTR)one + (ULONG)(ULONG_PTR)two; Irql = KeGetCurrentIrql(); }
static void Second(PVOID context, PVOID one, PVOID two) { Order = Order * 10 + 2; }
static ULONG Hundred = 100;
static NTSTATUS Verify(ULONG major, ULONG minor, ULONG build, ULONG types, UCHAR condition) {
  RTL_OSVERSIONINFOEXW wanted = {sizeof(wanted), major, minor, build};
  ULONGLONG conditions = 0;
  VER_SET_CONDITION(conditions, VER_MAJORVERSION, condition);
  VER_SET_CONDITION(conditions, VER_MINORVERSION, condition);
  VER_SET_CONDITION(conditions, VER_BUILDNUMBER, condition);
  return RtlVerifyVersionInfo(&wanted, types, conditions);
}
`;

const CASES = {
  callbacks: `
    PCALLBACK_OBJECT object = Object(L"\\\\Callback\\\\Mine", TRUE, TRUE);
    CHECK(object != NULL && Object(L"\\\\callback\\\\MINE", FALSE, FALSE) == object);
    PVOID one = ExRegisterCallback(object, First, &Hundred), two = ExRegisterCallback(object, Second, NULL);
    CHECK(one != NULL && two != NULL);
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    ExNotifyCallback(object, (PVOID)20, (PVOID)3);
    KeLowerIrql(old);
    CHECK(Order == 12 && Sum == 123 && Irql == DISPATCH_LEVEL);
    ExUnregisterCallback(one);
    ExNotifyCallback(object, NULL, NULL);
    CHECK(Order == 122);
    ExUnregisterCallback(two);
    ObDereferenceObject(object);
    ObDereferenceObject(object);
    CHECK(Object(L"\\\\Callback\\\\Mine", FALSE, FALSE) == NULL);`,
  oneCallback: `
    PCALLBACK_OBJECT object = Object(L"\\\\Callback\\\\Mine", TRUE, FALSE);
    PVOID one = ExRegisterCallback(object, First, &Hundred);
    CHECK(one != NULL && ExRegisterCallback(object, Second, NULL) == NULL);
    ExUnregisterCallback(one);
    CHECK(Object(L"", TRUE, FALSE) == NULL && Object(L"\\\\Callback\\\\PowerState", FALSE, FALSE) != NULL);
    ObDereferenceObject(object);`,
  version: `
    RTL_OSVERSIONINFOEXW info = {sizeof(info)};
    CHECK(RtlGetVersion((PRTL_OSVERSIONINFOW)&info) == STATUS_SUCCESS && info.dwMajorVersion == 10 && info.dwMinorVersion == 0);
    CHECK(info.dwPlatformId == VER_PLATFORM_WIN32_NT && info.wProductType == VER_NT_WORKSTATION && info.szCSDVersion[0] == 0);
    ULONG both = VER_MAJORVERSION | VER_MINORVERSION;
    CHECK(Verify(10, 0, 0, both, VER_GREATER_EQUAL) == STATUS_SUCCESS && Verify(6, 3, 0, both, VER_GREATER_EQUAL) == STATUS_SUCCESS);
    CHECK(Verify(11, 0, 0, both, VER_GREATER_EQUAL) == STATUS_REVISION_MISMATCH && Verify(10, 1, 0, both, VER_GREATER_EQUAL) == STATUS_REVISION_MISMATCH);
    CHECK(Verify(10, 0, info.dwBuildNumber, both | VER_BUILDNUMBER, VER_EQUAL) == STATUS_SUCCESS);
    CHECK(Verify(10, 0, info.dwBuildNumber + 1, VER_BUILDNUMBER, VER_LESS) == STATUS_SUCCESS);
    CHECK(Verify(10, 0, 0, VER_PRODUCT_TYPE, VER_EQUAL) == STATUS_INVALID_PARAMETER);`,
  numbers: `
    ULONG seed = 5, same = 5, first = RtlRandomEx(&seed), second = RtlRandomEx(&seed);
    CHECK(first == RtlRandomEx(&same) && first != second && first < MAXLONG && second < MAXLONG && seed != 5);
    UUID one, two;
    CHECK(ExUuidCreate(&one) == STATUS_SUCCESS && ExUuidCreate(&two) == STATUS_SUCCESS && memcmp(&one, &two, sizeof(one)) != 0);
    CHECK(RtlNtStatusToDosErrorNoTeb(STATUS_ACCESS_DENIED) == 5 && RtlNtStatusToDosErrorNoTeb(STATUS_INVALID_PARAMETER) == 87);`,
  namedEvent: `
    UNICODE_STRING name = U(L"\\\\BaseNamedObjects\\\\Mine");
    HANDLE one, two;
    LARGE_INTEGER now = {0};
    PKEVENT event = IoCreateNotificationEvent(&name, &one);
    CHECK(event != NULL && KeReadStateEvent(event) != 0 && KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &now) == STATUS_SUCCESS);
    KeClearEvent(event);
    CHECK(IoCreateNotificationEvent(&name, &two) == event && KeReadStateEvent(event) == 0 && one != two);
    CHECK(ZwClose(one) == STATUS_SUCCESS && ZwClose(two) == STATUS_SUCCESS);
    CHECK(KeReadStateEvent(IoCreateNotificationEvent(&name, &one)) != 0);
    ZwClose(one);`,
  unknownError: `RtlNtStatusToDosErrorNoTeb(STATUS_NO_MORE_ENTRIES + 0x1234);`,
  log: `
    ULONG bytes = FIELD_OFFSET(IO_ERROR_LOG_PACKET, DumpData) + 12;
    PIO_ERROR_LOG_PACKET entry = IoAllocateErrorLogEntry(TheDriver, (UCHAR)bytes);
    CHECK(entry != NULL && IoAllocateErrorLogEntry(TheDriver, 255) == NULL);
    entry->ErrorCode = STATUS_INSUFFICIENT_RESOURCES;
    entry->NumberOfStrings = 1;
    entry->StringOffset = FIELD_OFFSET(IO_ERROR_LOG_PACKET, DumpData);
    wcscpy((PWSTR)((PUCHAR)entry + entry->StringOffset), L"why");
    IoWriteErrorLogEntry(entry);
    IoFreeErrorLogEntry(IoAllocateErrorLogEntry(TheDriver, (UCHAR)bytes));
    PWSTR strings[] = {L"so", L"what"};
    UCHAR data[] = {1, 255};
    CHECK(NdisWriteEventLogEntry(TheDriver, NDIS_STATUS_FAILURE, 0, 2, strings, 2, data) == NDIS_STATUS_SUCCESS);
    CHECK(NdisWriteEventLogEntry(TheDriver, NDIS_STATUS_FAILURE, 0, 0, NULL, 120, data) == NDIS_STATUS_BUFFER_TOO_SHORT);`,
  extension: `
    PVOID one, two;
    CHECK(IoAllocateDriverObjectExtension(TheDriver, &Order, 16, &one) == STATUS_SUCCESS && IoGetDriverObjectExtension(TheDriver, &Order) == one);
    CHECK(IoAllocateDriverObjectExtension(TheDriver, &Order, 16, &two) == STATUS_OBJECT_NAME_COLLISION && two == NULL);
    CHECK(IoGetDriverObjectExtension(TheDriver, &Sum) == NULL);`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES);
});

describe("Services of the kernel", () => {
  test.each([
    ["callback routines are called at the caller's IRQL, in order of their registration", "callbacks"],
    ["an object that does not allow several callbacks has one; no object is without a name", "oneCallback"],
    ["the version is told, and compared one part after the other", "version"],
    ["random numbers depend on the seed, no UUID comes twice, and statuses have error codes", "numbers"],
    ["errors and events are logged, if they are small enough", "log"],
    ["an event with a name is created signalled, or opened as it is, until its last handle is closed", "namedEvent"],
    ["a driver object has one extension for each identification", "extension"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name))).toEqual(allHolds);
  });

  test("what is logged is in the trace", () => {
    expect(run("log").logged).toEqual(["why", "so what 01 ff"]);
  });

  test("a status whose error code is not known ends the run without a verdict", () => {
    expect(run("unknownError").outcome.kind).toBe("failed");
  });
});
