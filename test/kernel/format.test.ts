/** Formatted text: the conversions that the C run-time library documents. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Case, allHolds, buildCases, verdict } from "./c-cases.ts";

const SHARED = `
static char Text[64];
static WCHAR Wide[64];
static BOOLEAN Is(const char *wanted, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int written = _vsnprintf(Text, sizeof(Text), format, arguments);
  va_end(arguments);
  if (written == (int)strlen(wanted) && strcmp(Text, wanted) == 0) return TRUE;
  DbgPrint("%s instead of %s", Text, wanted);
  return FALSE;
}
`;

const CASES = {
  integers: `
    CHECK(Is("-7 7 4294967289", "%d %i %u", -7, 7, -7));
    CHECK(Is("ff FF 377 0xff", "%x %X %o %#x", 255, 255, 255, 255));
    CHECK(Is("   42|42   |00042|+42| 42", "%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42));
    CHECK(Is("  007|-0042|-00042", "%5.3d|%05.4d|%06d", 7, -42, -42));
    CHECK(Is("-1 65535 -1", "%hd %hu %hhd", 0xFFFF, 0xFFFFFFFF, 0xFF));
    CHECK(Is("-2 fffffffffffffffe 7", "%I64d %llx %d", -2LL, -2LL, 7));
    CHECK(Is("   7|7   |", "%*d|%*d|", 4, 7, -4, 7));
    CHECK(Is("00001234 100%", "%p %d%%", (PVOID)0x1234, 100));`,
  text: `
    CHECK(Is("abc|  abc|ab|x", "%s|%5s|%.2s|%c", "abc", "abc", "abc", 'x'));
    CHECK(Is("wide wide wide", "%S %ls %ws", L"wide", L"wide", L"wide"));
    CHECK(Is("(null)", "%s", NULL));
    UNICODE_STRING u; ANSI_STRING a;
    RtlInitUnicodeString(&u, L"net"); RtlInitAnsiString(&a, "card"); u.Length = 4;
    CHECK(Is("ne card", "%wZ %Z", &u, &a));`,
  reals: `CHECK(Is("1.500000 1.50e+00 1.5 0.00", "%f %.2e %g %.2f", 1.5, 1.5, 1.5, 0.001));`,
  wideFunctions: `
    CHECK(_snwprintf(Wide, 64, L"%s %S %d %c", L"wide", "narrow", 5, L'x') == 15 && wcscmp(Wide, L"wide narrow 5 x") == 0);`,
  room: `
    memset(Text, '#', sizeof(Text));
    CHECK(_snprintf(Text, 3, "abc") == 3 && Text[3] == '#' && Text[2] == 'c');
    CHECK(_snprintf(Text, 3, "abcd") == -1 && Text[2] == 'c' && Text[3] == '#');
    CHECK(_snprintf(Text, 4, "abc") == 3 && Text[3] == 0);`,
  flags: `
    char *end; size_t left;
    CHECK(RtlStringCchCopyExA(Text, 6, "abc", &end, &left, STRSAFE_FILL_BYTE('x')) == STATUS_SUCCESS && end == Text + 3 && left == 3 && Text[4] == 'x' && Text[5] == 'x');
    CHECK(RtlStringCchCatExA(Text, 6, "defg", &end, &left, STRSAFE_NO_TRUNCATION) == STATUS_BUFFER_OVERFLOW && strcmp(Text, "abc") == 0);
    CHECK(RtlStringCchCatNExA(Text, 6, "defg", 2, &end, &left, 0) == STATUS_SUCCESS && strcmp(Text, "abcde") == 0 && left == 1);
    CHECK(RtlStringCchCopyExA(Text, 3, "abc", NULL, NULL, STRSAFE_NULL_ON_FAILURE) == STATUS_BUFFER_OVERFLOW && Text[0] == 0);
    CHECK(RtlStringCchCopyExA(Text, 4, "abcd", NULL, NULL, STRSAFE_FAILURE_BYTE('z')) == STATUS_BUFFER_OVERFLOW && strcmp(Text, "zzz") == 0);
    CHECK(RtlStringCchCopyExA(NULL, 0, NULL, NULL, NULL, STRSAFE_IGNORE_NULLS) == STATUS_SUCCESS && RtlStringCchCopyA(NULL, 0, "a") == STATUS_INVALID_PARAMETER);
    CHECK(RtlStringCchCopyExA(Text, 4, "a", NULL, NULL, 0x10000) == STATUS_INVALID_PARAMETER);
    CHECK(RtlStringCbPrintfExW(Wide, 9, NULL, &left, 0, L"%d", 42) == STATUS_SUCCESS && left == 5);`,
  counted: `
    WCHAR room[4];
    UNICODE_STRING to = {0, sizeof(room), room}, more, rest, three = {6, 6, L"abc"};
    RtlUnicodeStringInit(&more, L"de");
    CHECK(RtlUnicodeStringCopy(&to, &three) == STATUS_SUCCESS && to.Length == 6);
    CHECK(RtlUnicodeStringCat(&to, &more) == STATUS_BUFFER_OVERFLOW && to.Length == 8 && room[3] == L'd');
    to.Length = 6;
    CHECK(RtlUnicodeStringCatEx(&to, &more, &rest, STRSAFE_NO_TRUNCATION) == STATUS_BUFFER_OVERFLOW && to.Length == 6 && rest.MaximumLength == 2);
    CHECK(RtlUnicodeStringCchCatStringN(&to, L"xyz", 1) == STATUS_SUCCESS && to.Length == 8 && room[3] == L'x');
    CHECK(RtlUnicodeStringCopyString(&to, L"ab") == STATUS_SUCCESS && to.Length == 4);
    CHECK(RtlUnicodeStringPrintf(&to, L"%d", 12345) == STATUS_BUFFER_OVERFLOW && to.Length == 8 && RtlUnicodeStringPrintf(&to, L"%d", 1234) == STATUS_SUCCESS);
    CHECK(RtlStringCchCopyUnicodeString(Wide, 3, &three) == STATUS_BUFFER_OVERFLOW && wcscmp(Wide, L"ab") == 0);
    to.Length = 3;
    CHECK(RtlUnicodeStringValidate(&to) == STATUS_INVALID_PARAMETER && RtlUnicodeStringValidateEx(NULL, STRSAFE_IGNORE_NULLS) == STATUS_SUCCESS);`,
  safe: `
    CHECK(RtlStringCchPrintfA(Text, 4, "%d", 12345) == STATUS_BUFFER_OVERFLOW && strcmp(Text, "123") == 0);
    CHECK(RtlStringCbPrintfW(Wide, 8, L"%d", 123) == STATUS_SUCCESS && wcscmp(Wide, L"123") == 0);
    CHECK(RtlStringCbPrintfW(Wide, 1, L"%d", 123) == STATUS_INVALID_PARAMETER);`,
} as const;

let run: Case<keyof typeof CASES>;
beforeAll(async () => {
  run = await buildCases(SHARED, CASES);
});

describe("A format", () => {
  test.each([
    ["prints integers with flags, width, precision and size", "integers"],
    ["prints strings of both kinds, and counted ones", "text"],
    ["prints real numbers", "reals"],
    ["means wide strings by %s in the wide functions", "wideFunctions"],
    ["that does not fit gives -1, and no zero if there is no room for it", "room"],
    ["is not all that bounded functions know: they copy and append, and do on success and failure what flags say", "flags"],
    ["has no zero behind it in a counted string, which is cut at its maximum length", "counted"],
    ["is cut with a zero by the bounded functions, which say so", "safe"],
  ] as const)("%s", (_claim, name) => {
    expect(verdict(run(name))).toEqual(allHolds);
  });
});
