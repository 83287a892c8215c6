/* Decisions on local variables that nobody has written. */
#include "driver.h"

typedef struct _OPTIONS {
    BOOLEAN IsEnabled;
    USHORT Kind;
    ULONG Limit;
    PULONG Used;
    VOID (*Handler)(VOID);
} OPTIONS, *POPTIONS;

typedef union _ADDRESS {
    UCHAR Bytes[8];
    ULONG Word;
    ULONG64 All;
} ADDRESS;

static ULONG Total;

/* What the compiler knows of, it tells of by itself: each of these is another function for it, of which it knows nothing. */
DECLSPEC_NOINLINE VOID SetIf(BOOLEAN IsWanted, ULONG Number, PULONG Value)
{
    if (IsWanted) {
        *Value = Number;
    }
}
DECLSPEC_NOINLINE NTSTATUS Fill(POPTIONS Options, ULONG Limit)
{
    if (Limit == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Options->IsEnabled = TRUE;
    Options->Limit = Limit;
    return STATUS_SUCCESS;
}
DECLSPEC_NOINLINE VOID Apply(const OPTIONS *Options)
{
    if (Options->Kind == 3) {
        Total += 1;
    }
}
DECLSPEC_NOINLINE VOID SetSome(PULONG Numbers, ULONG Count)
{
    ULONG Index;

    for (Index = 0; Index < Count; Index += 1) {
        Numbers[Index] = Index;
    }
}

/* Decides on a local variable that a function sets only sometimes. */
VOID Case_DecidesOnUnsetLocal(VOID)
{
    ULONG Value;

    SetIf(SOME(0), 3, &Value);
    if (Value > 3) { // expect: uninitialised
        Total += 1;
    }
}

/* Sets a local variable before a function sets it only sometimes. */
VOID Case_DecidesOnSetLocal(VOID)
{
    ULONG Value = 0;

    SetIf(SOME(0), 3, &Value);
    if (Value > 3) {
        Total += 1;
    }
}

/* Decides on a local variable that the function has set this time. */
VOID Case_DecidesOnLocalSetThisTime(VOID)
{
    ULONG Value;

    SetIf(SOME(1), 3, &Value);
    if (Value > 3) {
        Total += 1;
    }
}

/* Decides on an element behind those that were set. */
VOID Case_DecidesOnUnsetElement(VOID)
{
    ULONG Numbers[8];

    SetSome(Numbers, SOME(4));
    if (Numbers[SOME(5)] == 1) { // expect: uninitialised
        Total += 1;
    }
}

/* Decides on the last element that was set. */
VOID Case_DecidesOnSetElement(VOID)
{
    ULONG Numbers[8];

    SetSome(Numbers, SOME(4));
    if (Numbers[SOME(3)] == 1) {
        Total += 1;
    }
}

/* Decides on a member of a structure that a function was to fill, and refused. */
VOID Case_IgnoresThatNothingWasFilled(VOID)
{
    OPTIONS Options;

    Fill(&Options, SOME(0));
    if (Options.IsEnabled) { // expect: uninitialised
        Total += 1;
    }
}

/* Decides on a member of a structure that a function has filled. */
VOID Case_LooksWhetherItWasFilled(VOID)
{
    OPTIONS Options;

    if (NT_SUCCESS(Fill(&Options, SOME(2))) && Options.IsEnabled) {
        Total += Options.Limit;
    }
}

DECLSPEC_NOINLINE VOID ApplyKind(const OPTIONS *Options)
{
    if (Options->Kind == 3) { // expect: uninitialised
        Total += 1;
    }
}

/* Hands a structure with a member that nobody has set to a function that decides on it. */
VOID Case_HandsUnsetMemberToFunction(VOID)
{
    OPTIONS Options;

    Fill(&Options, SOME(2));
    ApplyKind(&Options);
}

/* Hands a structure with all members set to a function that decides on one. */
VOID Case_HandsSetMemberToFunction(VOID)
{
    OPTIONS Options;

    Fill(&Options, SOME(2));
    Options.Kind = 4;
    Apply(&Options);
}

/* Hands a structure with a copy of one that has an unset member to a function that decides on another one. */
VOID Case_CopiesStructureWithHoles(VOID)
{
    OPTIONS Options, Copy;

    Options.Kind = 4;
    Fill(&Options, SOME(2));
    Copy = Options;
    Apply(&Copy);
}

/* Chooses a case by what nobody has set. */
VOID Case_SwitchesOnUnsetLocal(VOID)
{
    ULONG Kind;

    SetIf(SOME(0), 1, &Kind);
    switch (Kind) { // expect: uninitialised
    case 1:
        Total += 1;
        break;
    case 2:
        Total += 3;
        break;
    case 7:
        Total += 5;
        break;
    default:
        break;
    }
}

/* Takes an index from what nobody has set. */
VOID Case_IndexesByUnsetLocal(VOID)
{
    ULONG Numbers[16] = {0};
    ULONG Index;

    SetIf(SOME(0), 1, &Index);
    Total += Numbers[Index & 15]; // expect: uninitialised
}

/* Writes where a pointer points that nobody has set. */
VOID Case_WritesThroughUnsetPointer(VOID)
{
    OPTIONS Options;

    Fill(&Options, SOME(2));
    *Options.Used = 1; // expect: uninitialised
}

/* Calls a handler that nobody has set. */
VOID Case_CallsUnsetHandlerOfLocal(VOID)
{
    OPTIONS Options;

    Fill(&Options, SOME(2));
    Options.Handler(); // expect: uninitialised
}

/* Goes as far as a local variable says that nobody has set. */
VOID Case_CountsToUnsetLocal(VOID)
{
    ULONG Count, Index;

    SetIf(SOME(0), 1, &Count);
    for (Index = 0; Index < Count; Index += 1) { // expect: uninitialised
        USE(Index);
    }
}

/* Decides on all of a union of which one half was set. */
VOID Case_DecidesOnAllOfUnion(VOID)
{
    ADDRESS Address;

    SetIf(SOME(1), 4, &Address.Word);
    if (Address.All == 4) { // expect: uninitialised
        Total += 1;
    }
}

/* Decides on the half of a union that was set. */
VOID Case_DecidesOnSetHalfOfUnion(VOID)
{
    ADDRESS Address;

    SetIf(SOME(1), 4, &Address.Word);
    if ((Address.All & 0xffffffff) == 4 && Address.Bytes[SOME(1)] == 0) {
        Total += 1;
    }
}

/* Decides on what a routine of the system was to write, and has refused to. */
VOID Case_DecidesOnOutputOfFailure(VOID)
{
    UNICODE_STRING String = RTL_CONSTANT_STRING(L"12");
    ULONG Number;

    RtlUnicodeStringToInteger(&String, SOME(7), &Number);
    if (Number == 12) { // expect: uninitialised
        Total += 1;
    }
}

/* Decides on what routines of the system have written. */
VOID Case_DecidesOnOutputs(VOID)
{
    LARGE_INTEGER Now, Frequency;
    ULONG Number;
    UNICODE_STRING String = RTL_CONSTANT_STRING(L"12"), Copy;
    WCHAR Buffer[8];

    KeQuerySystemTime(&Now);
    KeQueryPerformanceCounter(&Frequency);
    if (!NT_SUCCESS(RtlUnicodeStringToInteger(&String, 10, &Number)) || Number != 12) {
        return;
    }
    Copy.Buffer = Buffer;
    Copy.MaximumLength = sizeof(Buffer);
    if (NT_SUCCESS(RtlIntegerToUnicodeString(Number, 10, &Copy)) && Copy.Length == 4 && Buffer[1] == L'2') {
        Total += Now.LowPart > Frequency.LowPart;
    }
}
