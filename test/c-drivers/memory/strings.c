/* Strings: destinations that are too short, ends that are missing, and bytes taken for characters. */
#include "driver.h"

static WCHAR Name[] = L"\\Device\\Adapter";

/* A counted string of the first characters of Name, without a zero behind it, in a block that is as long as it. */
static VOID MakeCounted(PUNICODE_STRING String, USHORT Characters)
{
    String->Length = String->MaximumLength = (USHORT)(Characters * sizeof(WCHAR));
    String->Buffer = ALLOCATE(String->Length);
    RtlCopyMemory(String->Buffer, Name, String->Length);
}

/* Copies a string into a block that has no room for the zero. */
VOID Case_CopiesWithoutRoomForZero(VOID)
{
    PCHAR Text = ALLOCATE(strlen("adapter"));

    strcpy(Text, "adapter"); // expect: out-of-bounds
    FREE(Text);
}

/* Copies a string into a block that has room for the zero. */
VOID Case_CopiesWithRoomForZero(VOID)
{
    PCHAR Text = ALLOCATE(strlen("adapter") + 1);

    strcpy(Text, "adapter");
    FREE(Text);
}

/* Appends to a string that fills its array. */
VOID Case_AppendsToFullArray(VOID)
{
    CHAR Text[8];

    strcpy(Text, "adapter");
    strcat(Text, "0"); // expect: out-of-bounds
    USE(Text[0]);
}

/* Asks for the length of what strncpy left without a zero. */
VOID Case_MeasuresWithoutZero(VOID)
{
    PCHAR Text = ALLOCATE(4);

    strncpy(Text, "adapter", 4);
    USE(strlen(Text)); // expect: out-of-bounds
    FREE(Text);
}

/* Puts a zero behind what strncpy left, and asks for its length. */
VOID Case_MeasuresWithZero(VOID)
{
    PCHAR Text = ALLOCATE(4);

    strncpy(Text, "adapter", 3);
    Text[3] = 0;
    USE(strlen(Text));
    FREE(Text);
}

/* Copies a wide string into a block of as many bytes as it has characters. */
VOID Case_CopiesWideIntoBytes(VOID)
{
    PWCHAR Text = ALLOCATE(wcslen(Name) + 1);

    wcscpy(Text, Name); // expect: out-of-bounds
    FREE(Text);
}

/* Copies a wide string into a block of two bytes for each character. */
VOID Case_CopiesWideIntoCharacters(VOID)
{
    PWCHAR Text = ALLOCATE((wcslen(Name) + 1) * sizeof(WCHAR));

    wcscpy(Text, Name);
    FREE(Text);
}

/* Tells RtlStringCchCopyW the bytes of the destination, where it wants characters. */
VOID Case_CountsBytesAsCharacters(VOID)
{
    WCHAR Text[10];

    RtlStringCchCopyW(Text, sizeof(Text), Name); // expect: out-of-bounds
    USE(Text[0]);
}

/* Tells RtlStringCbCopyW the bytes of the destination, which cuts what does not fit. */
VOID Case_CutsWhatDoesNotFit(VOID)
{
    WCHAR Text[10];

    RtlStringCbCopyW(Text, sizeof(Text), Name);
    USE(Text[9]);
}

/* Tells RtlStringCbPrintfA of more bytes than the block has. */
VOID Case_PrintsIntoSmallBlock(VOID)
{
    PCHAR Text = ALLOCATE(8);

    RtlStringCbPrintfA(Text, 32, "adapter %d", SOME(10)); // expect: out-of-bounds
    FREE(Text);
}

/* Tells RtlStringCbPrintfA of the bytes that the block has. */
VOID Case_PrintsIntoBlock(VOID)
{
    PCHAR Text = ALLOCATE(8);

    RtlStringCbPrintfA(Text, 8, "adapter %d", SOME(10));
    FREE(Text);
}

/* Takes the buffer of a counted string for a string that ends in a zero. */
VOID Case_MeasuresCountedString(VOID)
{
    UNICODE_STRING String;

    MakeCounted(&String, 7);
    USE(wcslen(String.Buffer)); // expect: out-of-bounds
    FREE(String.Buffer);
}

/* Initializes a counted string from the buffer of another one. */
VOID Case_InitializesFromCountedBuffer(VOID)
{
    UNICODE_STRING String, Second;

    MakeCounted(&String, 7);
    RtlInitUnicodeString(&Second, String.Buffer); // expect: out-of-bounds
    FREE(String.Buffer);
}

/* Compares a counted string with one that ends in a zero, by its length. */
VOID Case_ComparesCountedString(VOID)
{
    UNICODE_STRING String, Device;

    MakeCounted(&String, 7);
    RtlInitUnicodeString(&Device, L"\\Device");
    USE(RtlEqualUnicodeString(&String, &Device, TRUE));
    FREE(String.Buffer);
}

/* Writes a zero behind a counted string that has no room for it. */
VOID Case_PutsZeroBehindCountedString(VOID)
{
    UNICODE_STRING String;

    MakeCounted(&String, 7);
    String.Buffer[String.Length / sizeof(WCHAR)] = 0; // expect: out-of-bounds
    FREE(String.Buffer);
}

/* Takes the length of a counted string for characters. */
VOID Case_CopiesLengthAsCharacters(VOID)
{
    UNICODE_STRING String;
    WCHAR Text[32];

    MakeCounted(&String, 7);
    RtlCopyMemory(Text, String.Buffer, String.Length * sizeof(WCHAR)); // expect: out-of-bounds
    USE(Text[0]);
    FREE(String.Buffer);
}

/* Copies a counted string by its length, and ends the copy with a zero. */
VOID Case_CopiesLengthAsBytes(VOID)
{
    UNICODE_STRING String;
    WCHAR Text[32];

    MakeCounted(&String, 7);
    RtlCopyMemory(Text, String.Buffer, String.Length);
    Text[String.Length / sizeof(WCHAR)] = 0;
    USE(wcslen(Text));
    FREE(String.Buffer);
}

/* Says of a buffer that it is longer than it is, and appends to it. */
VOID Case_AppendsBehindBuffer(VOID)
{
    UNICODE_STRING String;

    MakeCounted(&String, 7);
    String.MaximumLength = 64;
    RtlAppendUnicodeToString(&String, L"\\Adapter"); // expect: out-of-bounds
    FREE(String.Buffer);
}

/* Says of a buffer how long it is, so that what does not fit is refused. */
VOID Case_AppendIsRefused(VOID)
{
    UNICODE_STRING String;

    MakeCounted(&String, 7);
    USE(RtlAppendUnicodeToString(&String, L"\\Adapter"));
    FREE(String.Buffer);
}

/* Copies one counted string to another whose buffer is shorter than it says. */
VOID Case_CopiesIntoShortBuffer(VOID)
{
    UNICODE_STRING From, To;

    RtlInitUnicodeString(&From, Name);
    To.Length = 0;
    To.MaximumLength = From.MaximumLength;
    To.Buffer = ALLOCATE(From.Length / sizeof(WCHAR));
    RtlCopyUnicodeString(&To, &From); // expect: out-of-bounds
    FREE(To.Buffer);
}

/* Converts a counted string into a buffer that is shorter than it says. */
VOID Case_ConvertsIntoShortBuffer(VOID)
{
    UNICODE_STRING From;
    ANSI_STRING To;

    RtlInitUnicodeString(&From, Name);
    To.Length = 0;
    To.MaximumLength = 64;
    To.Buffer = ALLOCATE(8);
    RtlUnicodeStringToAnsiString(&To, &From, FALSE); // expect: out-of-bounds
    FREE(To.Buffer);
}

/* Prints a text that does not end. */
VOID Case_PrintsWithoutZero(VOID)
{
    PCHAR Text = ALLOCATE(4);

    RtlFillMemory(Text, 4, 'x');
    DbgPrint("%s\n", Text); // expect: out-of-bounds
    FREE(Text);
}

/* Prints a counted string, and a text with its length. */
VOID Case_PrintsCounted(VOID)
{
    UNICODE_STRING String;
    PCHAR Text = ALLOCATE(4);

    MakeCounted(&String, 7);
    RtlFillMemory(Text, 4, 'x');
    DbgPrint("%wZ %.4s\n", &String, Text);
    FREE(String.Buffer);
    FREE(Text);
}

/* Compares as many bytes as the longer one has. */
VOID Case_ComparesTooManyBytes(VOID)
{
    static const UCHAR Address[6] = {2, 0, 0, 0, 0, 1};
    PUCHAR Frame = ALLOCATE(4);

    RtlCopyMemory(Frame, Address, 4);
    USE(RtlCompareMemory(Frame, Address, sizeof(Address))); // expect: out-of-bounds
    FREE(Frame);
}

/* Uses the string that a freed name points to. */
VOID Case_ComparesFreedName(VOID)
{
    UNICODE_STRING String, Device;

    MakeCounted(&String, 7);
    FREE(String.Buffer);
    RtlInitUnicodeString(&Device, L"\\Device");
    USE(RtlEqualUnicodeString(&String, &Device, FALSE)); // expect: use-after-free
}
