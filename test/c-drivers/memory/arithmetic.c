/* Arithmetic that wraps or is undefined, arrays of fixed size, calls of another prototype, and words that are not aligned. */
#include "driver.h"

#define MAX_ADDRESSES 4

typedef struct _ELEMENT {
    ULONG Key;
    ULONG Value;
} ELEMENT, *PELEMENT;

typedef struct _TABLE {
    ULONG Count;
    ULONG Addresses[MAX_ADDRESSES];
    ULONG Total;
} TABLE;

/* Allocates so many elements that their bytes wrap to a few, and writes the second. */
VOID Case_AllocatesWrappedProduct(VOID)
{
    ULONG Count = (ULONG)SOME(0x20000001);
    PELEMENT Elements = ALLOCATE(Count * sizeof(ELEMENT));

    Elements[SOME(0)].Key = 1;
    Elements[SOME(1)].Key = 1; // expect: out-of-bounds
    FREE(Elements);
}

/* Refuses a count whose product would wrap. */
VOID Case_RefusesWrappingProduct(VOID)
{
    ULONG Count = (ULONG)SOME(0x20000001);
    PELEMENT Elements;

    if (Count > MAXULONG / sizeof(ELEMENT)) {
        return;
    }
    Elements = ALLOCATE(Count * sizeof(ELEMENT));
    FREE(Elements);
}

/* Adds a header to a length that is nearly the largest one. */
VOID Case_AllocatesWrappedSum(VOID)
{
    ULONG Length = (ULONG)SOME(0xfffffff8);
    PUCHAR Bytes = ALLOCATE(Length + 14);

    Bytes[SOME(13)] = 1; // expect: out-of-bounds
    FREE(Bytes);
}

/* Keeps a length in sixteen bits that needs seventeen. */
VOID Case_AllocatesCutLength(VOID)
{
    ULONG Needed = (ULONG)SOME(0x10010);
    USHORT Length = (USHORT)Needed;
    PUCHAR Bytes = ALLOCATE(Length);

    RtlZeroMemory(Bytes, Needed); // expect: out-of-bounds
    FREE(Bytes);
}

/* Finds a negative length less than the largest one that is allowed. */
VOID Case_ComparesSignedLength(VOID)
{
    LONG Length = SOME(-4);
    PUCHAR Bytes = ALLOCATE(64);

    if (Length <= 64) {
        RtlZeroMemory(Bytes, (ULONG)Length); // expect: out-of-bounds
    }
    FREE(Bytes);
}

/* Finds a negative length, taken as unsigned, greater than the largest one that is allowed. */
VOID Case_ComparesUnsignedLength(VOID)
{
    ULONG Length = (ULONG)SOME(-4);
    PUCHAR Bytes = ALLOCATE(64);

    if (Length <= 64) {
        RtlZeroMemory(Bytes, Length);
    }
    FREE(Bytes);
}

/* Adds signed lengths to more than the largest one. */
VOID Case_AddsSignedLengths(VOID)
{
    LONG Length = SOME(0x7ffffff8);

    USE(Length + SOME(20)); // expect: undefined-behaviour
}

/* Adds unsigned lengths to more than the largest one, which wraps, and notices. */
VOID Case_NoticesWrap(VOID)
{
    ULONG Length = (ULONG)SOME(0xfffffff8), Sum = Length + (ULONG)SOME(20);

    USE(Sum < Length);
}

/* Multiplies signed counts to more than the largest one. */
VOID Case_MultipliesSignedCounts(VOID)
{
    LONG Count = SOME(0x10000);

    USE(Count * SOME(0x8000)); // expect: undefined-behaviour
}

/* Negates the least number. */
VOID Case_NegatesLeast(VOID)
{
    LONG Least = SOME(-0x7fffffff) - 1;

    USE(-Least); // expect: undefined-behaviour
}

/* Shifts a word by as many bits as it has. */
VOID Case_ShiftsTooFar(VOID)
{
    ULONG Bits = (ULONG)SOME(32);

    USE(1u << Bits); // expect: undefined-behaviour
}

/* Shifts a word by a negative number of bits. */
VOID Case_ShiftsNegatively(VOID)
{
    LONG Bits = SOME(-1);

    USE((ULONG)SOME(8) >> Bits); // expect: undefined-behaviour
}

/* Shifts a word by one bit less than it has. */
VOID Case_ShiftsToLastBit(VOID)
{
    USE(1u << SOME(31));
    USE((ULONG)SOME(-1) >> SOME(31));
}

/* Divides by a length of zero. */
VOID Case_DividesByZero(VOID)
{
    USE(SOME(100) / SOME(0)); // expect: trap
}

/* Adds to a table that is full: the element behind the array is the next member. */
VOID Case_AddsToFullTable(VOID)
{
    TABLE Table = {MAX_ADDRESSES};

    Table.Total = (ULONG)SOME(3);
    Table.Addresses[Table.Count * One] = 1; // expect: out-of-bounds
    USE(Table.Total);
}

/* Adds the last element that a table has room for. */
VOID Case_AddsToTable(VOID)
{
    TABLE Table = {MAX_ADDRESSES - 1};

    Table.Addresses[Table.Count * One] = 1;
    USE(Table.Addresses[SOME(3)]);
}

/* Comes to a case that the driver said can never be. */
VOID Case_ComesToUnreachable(VOID)
{
    switch (SOME(3)) {
    case 1:
        break;
    case 2:
        break;
    default:
        __assume(0); // expect: undefined-behaviour
    }
}

static ULONG AddThree(ULONG First, ULONG Second, ULONG Third)
{
    return First + Second + Third;
}

static ULONG AddTwo(ULONG First, ULONG Second)
{
    return First + Second;
}

static PVOID volatile Function;

/* Calls a function of three parameters through a pointer to one of two. */
VOID Case_CallsOtherPrototype(VOID)
{
    Function = AddThree;
    USE(((ULONG (*)(ULONG, ULONG))Function)(1, 2)); // expect: trap
}

/* Calls a function through an untyped pointer that is cast to its own type. */
VOID Case_CallsOwnPrototype(VOID)
{
    Function = AddTwo;
    USE(((ULONG (*)(ULONG, ULONG))Function)(1, 2));
}

/* Calls what a pointer to data points to. */
VOID Case_CallsData(VOID)
{
    Function = &Function;
    ((VOID (*)(VOID))Function)(); // expect: trap
}

static VOID WrongDpc(PKDPC Dpc, PVOID Context) // expect: trap
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
}

/* Has a DPC run a function with fewer parameters than a DPC's has. */
VOID Case_QueuesDpcOfOtherPrototype(VOID)
{
    static KDPC Dpc;

    KeInitializeDpc(&Dpc, (PKDEFERRED_ROUTINE)WrongDpc, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
}

#include <pshpack1.h>
typedef struct _PACKED {
    USHORT Kind;
    LONG Count;
    USHORT Reserved;
    LONG64 Bytes;
    LONG Low;
} PACKED;
#include <poppack.h>

/* Counts a word of a packed structure by an interlocked operation, where the word is not aligned. */
VOID Case_CountsMisalignedWord(VOID)
{
    PACKED *Packed = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Packed), TAG);

    InterlockedIncrement(&Packed->Count); // expect: undefined-behaviour
    FREE(Packed);
}

/* Adds to two words of a packed structure by an interlocked operation, where the first is aligned as a word only. */
VOID Case_AddsToMisalignedDoubleWord(VOID)
{
    PACKED *Packed = ExAllocatePoolZero(NonPagedPoolNx, 2 * sizeof(*Packed), TAG);

    InterlockedAdd64(&Packed[2 - One].Bytes, 64); // expect: undefined-behaviour
    FREE(Packed);
}

/* Counts words of a packed structure where they are aligned, and reads one that is not, as all processors of Windows can. */
VOID Case_CountsAlignedWords(VOID)
{
    PACKED *Packed = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Packed), TAG);

    InterlockedExchangeAdd64(&Packed->Bytes, 64);
    InterlockedIncrement(&Packed->Low);
    USE(*(LONG UNALIGNED *)&Packed->Count);
    FREE(Packed);
}

/* Goes through a structure by a pointer to words, as copying does. */
VOID Case_ReadsStructureAsWords(VOID)
{
    TABLE Table = {1, {2, 3, 4, 5}, 6};
    volatile TABLE *Place = &Table;
    ULONG Index;

    for (Index = 0; Index < sizeof(Table) / sizeof(ULONG); Index += 1) {
        USE(((volatile ULONG *)Place)[Index]);
    }
}

/* Takes a small structure for a large one, and reads its last member. */
VOID Case_TakesSmallForLarge(VOID)
{
    PELEMENT Element = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Element), TAG);
    TABLE *Table = (TABLE *)Element;

    USE(Table->Count);
    USE(Table->Total); // expect: out-of-bounds
    FREE(Element);
}

/* Takes a local byte for a structure, and writes its second member. */
VOID Case_TakesByteForStructure(VOID)
{
    UCHAR Byte = (UCHAR)SOME(1);
    ELEMENT *volatile Element = (ELEMENT *)&Byte;

    Element->Value = 2; // expect: out-of-bounds
    USE(Byte);
}
