/* Local and static variables: arrays left at either end, and the address of a local that is gone. */
#include "driver.h"

#define COUNT 8

static ULONG Before[COUNT], Table[COUNT], After[COUNT];
static const UCHAR Digits[10] = "0123456789";

typedef struct _HEADER {
    UCHAR Destination[6];
    UCHAR Source[6];
    USHORT Type;
} HEADER, *PHEADER;

static VOID Fill(PULONG Words, ULONG Count)
{
    ULONG Index;

    for (Index = 0; Index < Count; Index += 1) {
        Words[Index] = Index; // expect: out-of-bounds
    }
}

/* Has a function fill more of a local array than there is. */
VOID Case_FillsLocalTooFar(VOID)
{
    ULONG Local[COUNT];

    Fill(Local, (ULONG)SOME(COUNT + 1));
    USE(Local[0]);
}

static VOID FillAll(PULONG Words, ULONG Count)
{
    ULONG Index;

    for (Index = 0; Index < Count; Index += 1) {
        Words[Index] = Index;
    }
}

/* Has a function fill a local array. */
VOID Case_FillsLocal(VOID)
{
    ULONG Local[COUNT];

    FillAll(Local, (ULONG)SOME(COUNT));
    USE(Local[COUNT - 1]);
}

/* Writes behind a local array. */
VOID Case_WritesBehindLocal(VOID)
{
    volatile ULONG Local[COUNT];

    Local[SOME(COUNT)] = 1; // expect: out-of-bounds
}

/* Writes before a local array. */
VOID Case_WritesBeforeLocal(VOID)
{
    volatile ULONG Local[COUNT];

    Local[SOME(-1)] = 1; // expect: out-of-bounds
}

/* Reads behind a local array. */
VOID Case_ReadsBehindLocal(VOID)
{
    volatile UCHAR Local[10] = {0};

    USE(Local[SOME(10)]); // expect: out-of-bounds
}

/* Looks for a character that is not in a local text, and not for the end of it. */
VOID Case_SearchesBeyondLocal(VOID)
{
    CHAR Text[12] = "no colon";
    ULONG Index = 0;

    Text[11] = (CHAR)SOME('x');
    while (Text[Index] != ':') { // expect: out-of-bounds
        Index += 1;
    }
    USE(Index);
}

/* Looks for a character that is not in a local text, as far as the text goes. */
VOID Case_SearchesLocal(VOID)
{
    CHAR Text[12] = "no colon";
    ULONG Index = 0;

    Text[11] = (CHAR)SOME('x');
    while (Index < sizeof(Text) && Text[Index] != ':') {
        Index += 1;
    }
    USE(Index);
}

/* Reads behind a static array, where the next one lies. */
VOID Case_ReadsBehindStatic(VOID)
{
    FillAll(Before, COUNT);
    FillAll(After, COUNT);
    USE(Table[SOME(COUNT)]); // expect: out-of-bounds
}

/* Writes before a static array, where the one before it lies. */
VOID Case_WritesBeforeStatic(VOID)
{
    FillAll(Before, COUNT);
    Table[SOME(-2)] = 1; // expect: out-of-bounds
}

/* Takes a digit of a constant table by a number that is no digit. */
VOID Case_TakesDigitOfTen(VOID)
{
    USE(Digits[SOME(10)]); // expect: out-of-bounds
}

/* Takes all digits of a constant table. */
VOID Case_TakesDigits(VOID)
{
    ULONG Index;

    for (Index = 0; Index < sizeof(Digits); Index += 1) {
        USE(Digits[SOME(Index)]);
    }
}

/* Writes the seventh byte of an address of six, which is the first of the next member. */
VOID Case_WritesIntoNextMember(VOID)
{
    HEADER Header = {{0}};

    Header.Destination[SOME(6)] = 1; // expect: out-of-bounds
    USE(Header.Source[0]);
}

/* Copies both addresses of a header at once, by a pointer to the header. */
VOID Case_CopiesTwoMembersOfHeader(VOID)
{
    HEADER Header = {{0}};
    UCHAR Addresses[12];

    Header.Type = (USHORT)SOME(8);
    RtlCopyMemory(Addresses, (PUCHAR)&Header + FIELD_OFFSET(HEADER, Destination), sizeof(Addresses));
    USE(Addresses[11]);
}

/* Clears a local structure with the size of a larger one. */
VOID Case_ClearsLocalWithWrongSize(VOID)
{
    HEADER Header;

    RtlZeroMemory(&Header, SOME(sizeof(HEADER) + 4)); // expect: out-of-bounds
    USE(Header.Type);
}

static PULONG Remembered;

static VOID Remember(VOID)
{
    ULONG Local = (ULONG)SOME(5);

    Remembered = &Local;
}

/* Reads a local variable of a function that has returned. */
VOID Case_ReadsLocalOfReturnedFunction(VOID)
{
    Remember();
    USE(*Remembered); // expect: use-after-free
}

static VOID KeepFor(PULONG Local, VOID (*Reader)(VOID))
{
    Remembered = Local;
    Reader();
    Remembered = NULL;
}

static VOID ReadRemembered(VOID)
{
    USE(*Remembered);
}

/* Reads a local variable of a function that waits for the reader. */
VOID Case_ReadsLocalOfCaller(VOID)
{
    ULONG Local = (ULONG)SOME(5);

    KeepFor(&Local, ReadRemembered);
}

static PKEVENT Waited;

static VOID MakeEvent(VOID)
{
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Waited = &Event;
}

/* Sets an event that was on the stack of a function that did not wait for it. */
VOID Case_SetsEventOfReturnedFunction(VOID)
{
    MakeEvent();
    KeSetEvent(Waited, IO_NO_INCREMENT, FALSE); // expect: use-after-free
}

static VOID SetWaited(PVOID Context)
{
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
}

/* Sets an event on the stack of a function that waits for it. */
VOID Case_SetsEventOfWaitingFunction(VOID)
{
    KEVENT Event;
    WORK_QUEUE_ITEM Item;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, SetWaited, &Event);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}

/* Uses deep and shallow frames at the same place of the stack, one after the other. */
VOID Case_UsesStackAgain(VOID)
{
    Remember();
    Case_FillsLocal();
    Case_SearchesLocal();
}
