/* Decisions on memory that pool gave and nobody has written. */
#include "driver.h"

typedef struct _NODE {
    struct _NODE *Next;
    ULONG Value;
    VOID (*Handler)(VOID);
} NODE, *PNODE;

typedef struct _OPTIONS {
    BOOLEAN IsEnabled;
    ULONG Limit;
    ULONG Used;
} OPTIONS, *POPTIONS;

typedef struct _SETTINGS {
    ULONG IsFast : 1;
    ULONG IsLoud : 1;
    ULONG Level : 6;
    ULONG Reserved : 24;
    UCHAR Name[5];
    ULONG Rate;
} SETTINGS, *PSETTINGS;

static OPTIONS Default;
static ULONG Total;

/* Decides on a member of a structure of which only another one was set. */
VOID Case_DecidesOnUnsetMember(VOID)
{
    POPTIONS Options = ALLOCATE(sizeof(*Options));

    Options->Limit = 3;
    if (Options->IsEnabled) { // expect: uninitialised
        Options->Used = 1;
    }
    FREE(Options);
}

/* Decides on a member of a structure that was cleared. */
VOID Case_DecidesOnClearedMember(VOID)
{
    POPTIONS Options = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Options), TAG);

    Options->Limit = 3;
    if (Options->IsEnabled) {
        Options->Used = 1;
    }
    FREE(Options);
}

/* Decides on memory that was asked for as it happens to be. */
VOID Case_DecidesOnPoolLeftAsItIs(VOID)
{
    POPTIONS Options = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, sizeof(*Options), TAG);

    if (Options->Used > Options->Limit) { // expect: uninitialised
        Total += 1;
    }
    FREE(Options);
}

/* Decides on memory of the routine that clears unless it is told not to. */
VOID Case_DecidesOnPoolThatIsCleared(VOID)
{
    POPTIONS Options = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Options), TAG);

    if (Options->Used > Options->Limit) {
        Total += 1;
    }
    FREE(Options);
}

/* Decides on memory that NDIS gave. */
VOID Case_DecidesOnMemoryOfNdis(VOID)
{
    POPTIONS Options;

    if (NdisAllocateMemoryWithTag((PVOID *)&Options, sizeof(*Options), TAG) != NDIS_STATUS_SUCCESS) {
        return;
    }
    if (Options->IsEnabled) { // expect: uninitialised
        Total += 1;
    }
    NdisFreeMemory(Options, 0, 0);
}

/* Clears memory that NDIS gave, and decides on it. */
VOID Case_ClearsMemoryOfNdis(VOID)
{
    POPTIONS Options;

    if (NdisAllocateMemoryWithTag((PVOID *)&Options, sizeof(*Options), TAG) != NDIS_STATUS_SUCCESS) {
        return;
    }
    NdisZeroMemory(Options, sizeof(*Options));
    if (Options->IsEnabled) {
        Total += 1;
    }
    NdisFreeMemory(Options, 0, 0);
}

/* Takes an index from an array of which the first half was set. */
VOID Case_IndexesByUnsetElement(VOID)
{
    PULONG Indexes = ALLOCATE(8 * sizeof(ULONG));
    ULONG Table[256] = {0}, Index;

    for (Index = 0; Index < (ULONG)SOME(4); Index += 1) {
        Indexes[Index] = Index;
    }
    USE(Table[Indexes[SOME(5)] & 255]); // expect: uninitialised
    FREE(Indexes);
}

/* Takes an index from an array that a loop has set. */
VOID Case_IndexesBySetElement(VOID)
{
    PUCHAR Indexes = ALLOCATE(SOME(13));
    ULONG Table[256] = {0}, Index;

    for (Index = 0; Index < (ULONG)SOME(13); Index += 1) {
        Indexes[Index] = (UCHAR)Index;
    }
    USE(Table[Indexes[SOME(12)]]);
    FREE(Indexes);
}

/* Copies a structure with members that nobody has set, and decides on none of them. */
VOID Case_CopiesUnsetMembers(VOID)
{
    POPTIONS Options = ALLOCATE(sizeof(*Options));

    Options->IsEnabled = TRUE;
    Default = *Options;
    if (Default.IsEnabled) {
        Default.Limit = 1;
    }
    FREE(Options);
}

/* Copies a structure with members that nobody has set, and decides on one of the copy. */
VOID Case_DecidesOnCopyOfUnsetMember(VOID)
{
    POPTIONS Options = ALLOCATE(sizeof(*Options));

    Options->IsEnabled = TRUE;
    Default = *Options;
    if (Default.Used > 3) { // expect: uninitialised
        Default.Limit = 1;
    }
    FREE(Options);
}

/* Calls what a member says that nobody has set since its block came from pool. */
VOID Case_CallsUnsetHandler(VOID)
{
    PNODE Node = ALLOCATE(sizeof(*Node));

    Node->Next = NULL;
    Node->Handler(); // expect: uninitialised
    FREE(Node);
}

/* Follows a link that nobody has set. */
VOID Case_FollowsUnsetLink(VOID)
{
    PNODE Node = ALLOCATE(sizeof(*Node));

    Node->Value = 3;
    USE(Node->Next->Value); // expect: uninitialised
    FREE(Node);
}

/* Walks a list of which the last link was set. */
VOID Case_WalksListToItsEnd(VOID)
{
    PNODE Second = ALLOCATE(sizeof(*Second)), Start = ALLOCATE(sizeof(*Start)), Node;

    Start->Next = Second;
    Start->Value = 1;
    Second->Next = NULL;
    Second->Value = 2;
    for (Node = Start; Node != NULL; Node = Node->Next) {
        Total += Node->Value;
    }
    FREE(Start);
    FREE(Second);
}

/* Goes as far as a member says that nobody has set. */
VOID Case_CountsToUnsetLimit(VOID)
{
    POPTIONS Options = ALLOCATE(sizeof(*Options));
    ULONG Index;

    Options->IsEnabled = TRUE;
    for (Index = 0; Index < (Options->Limit & 7); Index += 1) { // expect: uninitialised
        Total += 1;
    }
    FREE(Options);
}

/* Chooses a case by a member that nobody has set. */
VOID Case_SwitchesOnUnsetMember(VOID)
{
    PNODE Node = ALLOCATE(sizeof(*Node));

    Node->Next = NULL;
    switch (Node->Value) { // expect: uninitialised
    case 0:
        Total += 1;
        break;
    case 1:
    case 5:
        Total += 2;
        break;
    default:
        break;
    }
    FREE(Node);
}

/* Decides on the bits of a word that were set; the others of it were not. */
VOID Case_DecidesOnSetBits(VOID)
{
    PSETTINGS Settings = ALLOCATE(sizeof(*Settings));

    Settings->IsFast = 1;
    Settings->IsLoud = 0;
    Settings->Level = 5;
    if (Settings->IsFast && Settings->Level == 5) {
        Total += 1;
    }
    FREE(Settings);
}

/* Decides on bits of a byte that nobody has set, where others of its word were. */
VOID Case_DecidesOnUnsetBits(VOID)
{
    PSETTINGS Settings = ALLOCATE(sizeof(*Settings));

    RtlFillMemory(Settings, 1, 0xff);
    if (Settings->Reserved == 7) { // expect: uninitialised
        Total += 1;
    }
    FREE(Settings);
}

/* Decides on an element of a larger copy of an array, behind what was copied. */
VOID Case_DecidesBehindWhatWasCopied(VOID)
{
    PULONG Old = ALLOCATE(4 * sizeof(ULONG)), Larger = ALLOCATE(SOME(8) * sizeof(ULONG));

    RtlZeroMemory(Old, 4 * sizeof(ULONG));
    RtlCopyMemory(Larger, Old, SOME(4) * sizeof(ULONG));
    FREE(Old);
    if (Larger[SOME(4)] != 0) { // expect: uninitialised
        Total += 1;
    }
    FREE(Larger);
}

/* Decides on the last element of what was copied into a larger array. */
VOID Case_DecidesOnWhatWasCopied(VOID)
{
    PULONG Old = ALLOCATE(4 * sizeof(ULONG)), Larger = ALLOCATE(SOME(8) * sizeof(ULONG));

    RtlZeroMemory(Old, 4 * sizeof(ULONG));
    RtlCopyMemory(Larger, Old, SOME(4) * sizeof(ULONG));
    FREE(Old);
    if (Larger[SOME(3)] != 0) {
        Total += 1;
    }
    FREE(Larger);
}
