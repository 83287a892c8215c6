import { beforeAll, describe, expect, test } from "vitest";
import { constant, runtimeSource } from "../../src/contract/index.ts";
import { clang } from "./clang.ts";
import { functionImports } from "./wasm-imports.ts";

/** Each function answers with what the test expects; a macro or inline of the headers does the work. */
const SOURCE = `
#include <ndis.h>
#include <ntintsafe.h>
#include <ntstrsafe.h>
#define EXPORT __attribute__((export_name("a")))
#undef EXPORT
#define EXPORTED(name) __attribute__((export_name(#name))) int name(void)

typedef struct _ITEM { int number; LIST_ENTRY link; SINGLE_LIST_ENTRY single; } ITEM;

EXPORTED(doublyLinked) {
  LIST_ENTRY head, other; ITEM items[4];
  InitializeListHead(&head); InitializeListHead(&other);
  for (int i = 0; i < 4; i++) items[i].number = i + 1;
  InsertTailList(&head, &items[1].link);
  InsertTailList(&head, &items[2].link);
  InsertHeadList(&head, &items[0].link);
  InsertTailList(&other, &items[3].link);
  RemoveEntryList(&other); /* a list without a head */
  AppendTailList(&head, &items[3].link);
  int digits = 0;
  while (!IsListEmpty(&head)) digits = digits * 10 + CONTAINING_RECORD(RemoveHeadList(&head), ITEM, link)->number;
  return digits;
}
EXPORTED(singlyLinked) {
  SINGLE_LIST_ENTRY head = {0}; ITEM items[2] = {{1}, {2}};
  PushEntryList(&head, &items[0].single);
  PushEntryList(&head, &items[1].single);
  int digits = CONTAINING_RECORD(PopEntryList(&head), ITEM, single)->number * 10;
  digits += CONTAINING_RECORD(PopEntryList(&head), ITEM, single)->number;
  return PopEntryList(&head) == NULL ? digits : 0;
}
EXPORTED(corruptList) {
  LIST_ENTRY head; ITEM item;
  InitializeListHead(&head);
  InsertTailList(&head, &item.link);
  RemoveEntryList(&item.link);
  RemoveEntryList(&item.link);
  return 1;
}

static int filterCalls;
static int filter(void) { filterCalls++; return EXCEPTION_EXECUTE_HANDLER; }
EXPORTED(structuredExceptions) {
  int digits = 0;
  __try { digits = digits * 10 + 1; if (digits == 1) __leave; digits = 99; } __except (filter()) { digits = 98; }
  __try { digits = digits * 10 + 2; } __finally { digits = digits * 10 + 3; }
  __try { __try { if (digits) __leave; } __finally { digits = digits * 10 + 4; } } __except (EXCEPTION_EXECUTE_HANDLER) { digits = 97; }
  return filterCalls == 0 ? digits : 0;
}

EXPORTED(safeIntegers) {
  ULONG sum; UINT8 small; USHORT word; LONG product; SIZE_T difference;
  return (RtlULongAdd(0xFFFFFFF0, 0xF, &sum) == STATUS_SUCCESS && sum == 0xFFFFFFFF) +
         2 * (RtlULongAdd(0xFFFFFFF0, 0x10, &sum) == STATUS_INTEGER_OVERFLOW && sum == 0xFFFFFFFF) +
         4 * (RtlUInt8Add(200, 56, &small) == STATUS_INTEGER_OVERFLOW) +
         8 * (RtlULongToUShort(65536, &word) == STATUS_INTEGER_OVERFLOW && RtlULongToUShort(65535, &word) == 0 && word == 65535) +
         16 * (RtlLongMult(-65536, 65536, &product) == STATUS_INTEGER_OVERFLOW) +
         32 * (RtlSizeTSub(3, 4, &difference) == STATUS_INTEGER_OVERFLOW) +
         64 * (RtlIntToUChar(-1, &small) == STATUS_INTEGER_OVERFLOW);
}

EXPORTED(safeStrings) {
  char narrow[6]; WCHAR wide[6]; size_t length;
  return (RtlStringCbCopyA(narrow, sizeof(narrow), "hello") == STATUS_SUCCESS && strcmp(narrow, "hello") == 0) +
         2 * (RtlStringCchCatW((wide[0] = L'a', wide[1] = 0, wide), 6, L"bcdefg") == STATUS_BUFFER_OVERFLOW && wcscmp(wide, L"abcde") == 0) +
         4 * (RtlStringCchLengthA("abc", 3, &length) == STATUS_INVALID_PARAMETER && RtlStringCchLengthA("abc", 4, &length) == 0 && length == 3) +
         8 * (RtlStringCbCopyW(wide, 1, L"x") == STATUS_INVALID_PARAMETER);
}

EXPORTED(characters) {
  wchar_t buffer[8]; char bytes[4] = "dac"; int sorted[4] = {3, 1, 2, 0};
  return (wcslen(wcscpy(buffer, L"four")) == 4 && wcschr(buffer, L'u') == buffer + 2) + 2 * (strrchr("a/b/c", '/')[1] == 'c') +
         4 * (_stricmp("Adapter", "aDAPTER") == 0) + 8 * (strstr("netvmini", "vm") != NULL && strstr("net", "nets") == NULL) +
         16 * (memcmp("abc", "abd", 3) < 0 && memchr("abc", 'c', 3) != NULL) + 32 * (memmove(bytes + 1, bytes, 2) == bytes + 1 && bytes[2] == 'a') +
         64 * (strncpy(bytes, "q", 4) == bytes && bytes[3] == 0) + 128 * (sizeof(L"ab") == 6) + 256 * (sorted[0] == 3);
}

EXPORTED(irpStack) {
  char memory[sizeof(IRP) + 2 * sizeof(IO_STACK_LOCATION)] __attribute__((aligned(8)));
  PIRP irp = (PIRP)memory;
  memset(memory, 0, sizeof(memory));
  irp->CurrentLocation = 2;
  irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(irp + 1) + 1;
  IoGetCurrentIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
  IoMarkIrpPending(irp);
  IoCopyCurrentIrpStackLocationToNext(irp);
  return (IoGetCurrentIrpStackLocation(irp)->Control == SL_PENDING_RETURNED) + 2 * (IoGetNextIrpStackLocation(irp)->MajorFunction == IRP_MJ_READ) +
         4 * (IoGetNextIrpStackLocation(irp)->Control == 0) + 8 * (IoGetNextIrpStackLocation(irp) == (PIO_STACK_LOCATION)(irp + 1));
}

EXPORTED(memoryDescriptorLists) {
  MDL mdl = {0}; PVOID address; UINT length; PMDL next = &mdl;
  mdl.MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL; mdl.StartVa = (PVOID)0x5000; mdl.ByteOffset = 0xFF0; mdl.ByteCount = 0x20; mdl.MappedSystemVa = (PVOID)0x5FF0;
  NdisQueryMdl(&mdl, &address, &length, NormalPagePriority);
  NdisGetNextMdl(&mdl, &next);
  return (address == (PVOID)0x5FF0 && length == 0x20) + 2 * (next == NULL) + 4 * (NDIS_MDL_TO_SPAN_PAGES(&mdl) == 2) +
         8 * (MmGetMdlVirtualAddress(&mdl) == (PVOID)0x5FF0);
}

EXPORTED(netBufferLists) {
  NET_BUFFER_LIST nbl = {0};
  NBL_SET_PROT_RSVD_FLAG(&nbl, 3);
  NET_BUFFER_LIST_SET_HASH_TYPE(&nbl, NDIS_HASH_IPV4);
  NET_BUFFER_LIST_SET_HASH_FUNCTION(&nbl, 1);
  NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(&nbl, (PVOID)7);
  NDIS_SET_NET_BUFFER_LIST_VLAN_ID(&nbl, 5);
  return (nbl.NblFlags == 3) + 2 * (NET_BUFFER_LIST_GET_HASH_TYPE(&nbl) == NDIS_HASH_IPV4 && NET_BUFFER_LIST_GET_HASH_FUNCTION(&nbl) == 1) +
         4 * (nbl.NetBufferListInfo[NetBufferListCancelId] == (PVOID)7) + 8 * ((ULONG)(ULONG_PTR)nbl.NetBufferListInfo[Ieee8021QNetBufferListInfo] == 5 << 4) +
         16 * NDIS_TEST_SEND_AT_DISPATCH_LEVEL(NDIS_SEND_FLAGS_DISPATCH_LEVEL) + 32 * NDIS_TEST_RECEIVE_CAN_PEND(0);
}

EXPORTED(wideScalars) {
  LONG64 counter = 0x1FFFFFFFFLL;
  LONG64 before = InterlockedExchangeAdd64(&counter, 0x100000001LL);
  return before == 0x1FFFFFFFFLL && counter == 0x300000000LL;
}
`;

const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
const bugChecks: number[] = [];
let exported: Readonly<Record<string, unknown>> = {};

const missing = (name: string) => (): never => {
  throw new Error(`${name} called`);
};

beforeAll(async () => {
  const { output, files } = await clang(`${runtimeSource()}\n${SOURCE}`, [
    "-Wl,--no-entry",
    "-Wl,--allow-undefined",
    "-Wl,--import-memory",
    "-o",
    "a.wasm",
  ]);
  expect(output).toBe("");
  const binary = files["a.wasm"];
  if (!(binary instanceof Uint8Array)) throw new Error("not linked");
  const module = new WebAssembly.Module(binary);
  const routines: { [name: string]: (...words: number[]) => number | undefined } = {
    KeBugCheckEx: (code, parameter) => {
      bugChecks.push(code ?? 0, parameter ?? 0);
      return undefined;
    },
    InterlockedExchangeAdd64_split: (result = 0, addend = 0, low = 0, high = 0) => {
      const view = new DataView(memory.buffer);
      const old = view.getBigInt64(addend, true);
      view.setBigInt64(result, old, true);
      view.setBigInt64(addend, old + ((BigInt(high) << 32n) | BigInt(low >>> 0)), true);
      return undefined;
    },
  };
  const env: Record<string, unknown> = { memory };
  for (const name of functionImports(binary).keys()) env[name] = routines[name] ?? missing(name);
  exported = new WebAssembly.Instance(module, { env }).exports;
});

function call(name: string): unknown {
  const body = exported[name];
  if (typeof body !== "function") throw new Error(`${name} is not exported`);
  return body();
}

describe("Macros and inline functions of the headers", () => {
  test("lists keep their order", () => {
    expect(call("doublyLinked")).toBe(1234);
    expect(call("singlyLinked")).toBe(21);
    expect(bugChecks).toEqual([]);
  });

  test("an entry that is removed twice is a corrupt list: bug check 0x139, 3", () => {
    call("corruptList");
    expect(bugChecks.slice(0, 2)).toEqual([0x139, constant("FAST_FAIL_CORRUPT_LIST_ENTRY")]);
  });

  test("__leave ends the block, __finally runs, __except and its filter do not", () => {
    expect(call("structuredExceptions")).toBe(1234);
  });

  test("checked integers say when they overflow", () => {
    expect(call("safeIntegers")).toBe(127);
  });

  test("safe strings end with a zero and say when they cut", () => {
    expect(call("safeStrings")).toBe(15);
  });

  test("the C runtime does what C says, on 16-bit characters too", () => {
    expect(call("characters")).toBe(511);
  });

  test("IRP stack locations lie behind the IRP, the next one below the current", () => {
    expect(call("irpStack")).toBe(15);
  });

  test("an MDL of nonpaged pool is already mapped", () => {
    expect(call("memoryDescriptorLists")).toBe(15);
  });

  test("NET_BUFFER_LIST accessors reach flags and out-of-band information", () => {
    expect(call("netBufferLists")).toBe(63);
  });

  test("64-bit scalars cross as halves and come back whole", () => {
    expect(call("wideScalars")).toBe(1);
  });
});
