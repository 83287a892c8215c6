/** Counted strings, conversions and bitmaps of the run-time library. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "./c-cases.ts";

const SHARED = `
static char Long[70000];
static WCHAR LongWide[40000];
static UNICODE_STRING U(const WCHAR *text) { UNICODE_STRING s; RtlInitUnicodeString(&s, text); return s; }
static ANSI_STRING A(const char *text) { ANSI_STRING s; RtlInitAnsiString(&s, text); return s; }
static LONG Integer(const WCHAR *text, ULONG base) {
  UNICODE_STRING s = U(text);
  ULONG value = 4711;
  return RtlUnicodeStringToInteger(&s, base, &value) == STATUS_SUCCESS ? (LONG)value : -99999;
}
static BOOLEAN Digits(ULONG value, ULONG base, const WCHAR *text) {
  WCHAR buffer[40];
  UNICODE_STRING s = {0, sizeof(buffer), buffer}, wanted = U(text);
  return RtlIntegerToUnicodeString(value, base, &s) == STATUS_SUCCESS && RtlEqualUnicodeString(&s, &wanted, FALSE);
}
`;

const CASES = {
  init: `
    STRING s;
    RtlInitString(&s, "abc");
    CHECK(s.Length == 3 && s.MaximumLength == 4 && s.Buffer[0] == 'a');
    RtlInitString(&s, NULL);
    CHECK(s.Length == 0 && s.MaximumLength == 0 && s.Buffer == NULL);
    memset(Long, 'x', sizeof(Long) - 1);
    RtlInitString(&s, Long);
    CHECK(s.Length == 0xFFFE && s.MaximumLength == 0xFFFF);
    for (int i = 0; i < 39999; i++) LongWide[i] = L'x';
    UNICODE_STRING u = U(LongWide);
    CHECK(u.Length == 0xFFFC && u.MaximumLength == 0xFFFE);`,
  compare: `
    STRING a = A("Net"), b = A("nET"), c = A("neu");
    CHECK(!RtlEqualString(&a, &b, FALSE) && RtlEqualString(&a, &b, TRUE));
    CHECK(RtlCompareString(&a, &b, TRUE) == 0 && RtlCompareString(&b, &c, TRUE) < 0 && RtlCompareString(&c, &b, TRUE) > 0);
    UNICODE_STRING u = U(L"Adapter"), v = U(L"ADAPT"), w = U(L"Adapt");
    CHECK(RtlPrefixUnicodeString(&w, &u, FALSE) && !RtlPrefixUnicodeString(&v, &u, FALSE) && RtlPrefixUnicodeString(&v, &u, TRUE));
    CHECK(!RtlPrefixUnicodeString(&u, &w, TRUE));
    CHECK(RtlCompareUnicodeString(&v, &w, TRUE) == 0 && RtlCompareUnicodeString(&w, &u, TRUE) < 0);`,
  append: `
    WCHAR buffer[5] = L"ab";
    UNICODE_STRING s = {4, 8, buffer}, more = U(L"cd");
    CHECK(RtlAppendUnicodeStringToString(&s, &more) == STATUS_SUCCESS && s.Length == 8 && buffer[3] == L'd');
    buffer[0] = L'x';
    CHECK(RtlAppendUnicodeToString(&s, L"e") == STATUS_BUFFER_TOO_SMALL && s.Length == 8 && buffer[0] == L'x');
    CHECK(RtlAppendUnicodeToString(&s, NULL) == STATUS_SUCCESS && s.Length == 8);`,
  upcase: `
    UNICODE_STRING from = U(L"a\\x00e4\\x00df" L"1"), to;
    CHECK(RtlUpcaseUnicodeChar(L'z') == L'Z' && RtlUpcaseUnicodeChar(0x00df) == 0x00df);
    CHECK(RtlUpcaseUnicodeString(&to, &from, TRUE) == STATUS_SUCCESS && to.Length == 8);
    CHECK(to.Buffer[0] == L'A' && to.Buffer[1] == 0x00c4 && to.Buffer[2] == 0x00df && to.Buffer[3] == L'1');
    RtlFreeUnicodeString(&to);
    WCHAR small[2];
    UNICODE_STRING little = {0, sizeof(small), small};
    CHECK(!NT_SUCCESS(RtlUpcaseUnicodeString(&little, &from, FALSE)) && little.Length == 0);`,
  convert: `
    ANSI_STRING ansi;
    UNICODE_STRING wide = U(L"a\\x20ac\\x4e00"), back;
    CHECK(RtlUnicodeStringToAnsiString(&ansi, &wide, TRUE) == STATUS_SUCCESS && ansi.Length == 3 && ansi.Buffer[3] == 0);
    CHECK(ansi.Buffer[0] == 'a' && (UCHAR)ansi.Buffer[1] == 0x80 && ansi.Buffer[2] == '?');
    CHECK(RtlAnsiStringToUnicodeString(&back, &ansi, TRUE) == STATUS_SUCCESS && back.Length == 6 && back.Buffer[1] == 0x20ac);
    RtlFreeAnsiString(&ansi);
    RtlFreeUnicodeString(&back);
    RtlFreeUnicodeString(&back);
    char room[4];
    ANSI_STRING own = {0, 3, room};
    CHECK(!NT_SUCCESS(RtlUnicodeStringToAnsiString(&own, &wide, FALSE)) && own.Length == 0);
    own.MaximumLength = 4;
    CHECK(NdisUnicodeStringToAnsiString(&own, &wide) == STATUS_SUCCESS && own.Length == 3 && own.Buffer == room);`,
  toInteger: `
    CHECK(Integer(L"123", 10) == 123 && Integer(L"-345", 10) == -345 && Integer(L"xyz", 10) == 0);
    CHECK(Integer(L"+678abc", 10) == 678 && Integer(L"+678abc", 16) == 6785724 && Integer(L"007", 10) == 7);
    CHECK(Integer(L"789", 8) == 7 && Integer(L"FGH", 16) == 15 && Integer(L" ", 10) == 0);
    CHECK(Integer(L"0x1F", 0) == 31 && Integer(L"0o17", 0) == 15 && Integer(L"0b101", 0) == 5 && Integer(L"  42", 0) == 42);
    CHECK(Integer(L"0x1F", 16) == 0 && Integer(L"", 10) == -99999 && Integer(L"1", 7) == -99999);
    CHECK((ULONG)Integer(L"4294967295", 10) == 0xFFFFFFFF);`,
  fromInteger: `
    CHECK(Digits(255, 16, L"FF") && Digits(255, 0, L"255") && Digits(255, 8, L"377") && Digits(5, 2, L"101"));
    CHECK(Digits(0xFFFFFFFF, 10, L"4294967295"));
    WCHAR small[2];
    UNICODE_STRING s = {0, sizeof(small), small};
    CHECK(RtlIntegerToUnicodeString(255, 10, &s) == STATUS_BUFFER_OVERFLOW);
    CHECK(RtlIntegerToUnicodeString(255, 3, &s) == STATUS_INVALID_PARAMETER);`,
  guid: `
    GUID guid;
    UNICODE_STRING text = U(L"{01234567-89AB-cdef-0123-456789abcdef}"), back, bad = U(L"01234567-89ab-cdef-0123-456789abcdef");
    CHECK(RtlGUIDFromString(&text, &guid) == STATUS_SUCCESS);
    CHECK(guid.Data1 == 0x01234567 && guid.Data2 == 0x89ab && guid.Data3 == 0xcdef && guid.Data4[0] == 1 && guid.Data4[7] == 0xef);
    CHECK(RtlStringFromGUID(&guid, &back) == STATUS_SUCCESS && RtlEqualUnicodeString(&text, &back, TRUE));
    RtlFreeUnicodeString(&back);
    CHECK(!NT_SUCCESS(RtlGUIDFromString(&bad, &guid)));`,
  bitmap: `
    ULONG words[3] = {0, 0, 0xFFFFFFFF};
    RTL_BITMAP bitmap;
    RtlInitializeBitMap(&bitmap, words, 40);
    RtlSetBit(&bitmap, 33);
    CHECK(words[1] == 2 && RtlTestBit(&bitmap, 33) && !RtlTestBit(&bitmap, 32) && RtlNumberOfSetBits(&bitmap) == 1);
    CHECK(RtlFindClearBitsAndSet(&bitmap, 4, 31) == 34 && words[1] == 0x3E);
    CHECK(RtlFindClearBitsAndSet(&bitmap, 20, 30) == 0 && words[0] == 0xFFFFF);
    CHECK(RtlFindClearBitsAndSet(&bitmap, 30, 0) == 0xFFFFFFFF);
    RtlClearBit(&bitmap, 33);
    CHECK(words[1] == 0x3C);
    RtlSetAllBits(&bitmap);
    CHECK(RtlNumberOfSetBits(&bitmap) == 40 && words[2] == 0xFFFFFFFF);
    RtlClearAllBits(&bitmap);
    CHECK(RtlNumberOfSetBits(&bitmap) == 0 && words[2] == 0xFFFFFFFF);
    CHECK(RtlFindLeastSignificantBit(0x100000000ULL) == 32 && RtlFindLeastSignificantBit(0) == -1 && RtlNumberOfSetBitsUlongPtr(0xF0F0) == 8);`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES);
});

describe("The run-time library", () => {
  test.each([
    ["a counted string is initialised from a zero-terminated one; one that is too long is cut", "init"],
    ["strings are compared with and without regard to case", "compare"],
    ["a string is appended, or nothing is changed", "append"],
    ["a copy is converted to upper case", "upcase"],
    ["strings are converted between ANSI and Unicode", "convert"],
    ["a number is read from a string as the table of the page shows", "toInteger"],
    ["a number is written in bases 2, 8, 10 and 16", "fromInteger"],
    ["a GUID is read from its text and written back", "guid"],
    ["bits are set, cleared, counted and found", "bitmap"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name))).toEqual(allHolds);
  });
});
