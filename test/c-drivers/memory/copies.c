/* Memory copied, moved, filled and cleared with a wrong size, to and from places that are not there. */
#include "driver.h"

typedef struct _SETTINGS {
    ULONG Flags;
    UCHAR Address[6];
    ULONG Counters[8];
} SETTINGS, *PSETTINGS;

static SETTINGS Current;

/* Copies more than the target holds. */
VOID Case_CopiesBehindTarget(VOID)
{
    PVOID Target = ALLOCATE(20);

    RtlCopyMemory(Target, &Current, SOME(sizeof(Current))); // expect: out-of-bounds
    FREE(Target);
}

/* Copies more than the source holds. */
VOID Case_CopiesBehindSource(VOID)
{
    PVOID Source = ExAllocatePoolZero(NonPagedPoolNx, 20, TAG);

    RtlCopyMemory(&Current, Source, SOME(sizeof(Current))); // expect: out-of-bounds
    FREE(Source);
}

/* Copies as much as both hold. */
VOID Case_CopiesWhatBothHold(VOID)
{
    PVOID Target = ALLOCATE(20);

    RtlCopyMemory(Target, &Current, min(SOME(20), sizeof(Current)));
    FREE(Target);
}

/* Copies a few bytes, which the compiler makes a load and a store of, over the end. */
VOID Case_CopiesAddressOverEnd(VOID)
{
    PUCHAR Frame = ALLOCATE(14);

    NdisMoveMemory(Frame + SOME(10), Current.Address, sizeof(Current.Address)); // expect: out-of-bounds
    FREE(Frame);
}

/* Copies the two addresses of a frame. */
VOID Case_CopiesAddresses(VOID)
{
    PUCHAR Frame = ALLOCATE(14);

    NdisMoveMemory(Frame, Current.Address, sizeof(Current.Address));
    NdisMoveMemory(Frame + SOME(6), Current.Address, sizeof(Current.Address));
    FREE(Frame);
}

/* Moves within a block, to where its last part does not fit. */
VOID Case_MovesBehindBlock(VOID)
{
    PUCHAR Bytes = ExAllocatePoolZero(NonPagedPoolNx, 32, TAG);

    RtlMoveMemory(Bytes + SOME(4), Bytes, SOME(32)); // expect: out-of-bounds
    FREE(Bytes);
}

/* Moves within a block, as far as its end. */
VOID Case_MovesWithinBlock(VOID)
{
    PUCHAR Bytes = ExAllocatePoolZero(NonPagedPoolNx, 32, TAG);

    RtlMoveMemory(Bytes + SOME(4), Bytes, SOME(28));
    FREE(Bytes);
}

/* Clears the structure before a block, since the pointer was advanced. */
VOID Case_ClearsFromMiddle(VOID)
{
    PSETTINGS Settings = ALLOCATE(sizeof(*Settings));
    PUCHAR Place = (PUCHAR)Settings;

    Place += FIELD_OFFSET(SETTINGS, Address);
    RtlZeroMemory(Place, SOME(sizeof(*Settings))); // expect: out-of-bounds
    FREE(Settings);
}

/* Clears the rest of a structure. */
VOID Case_ClearsRest(VOID)
{
    PSETTINGS Settings = ALLOCATE(sizeof(*Settings));

    RtlZeroMemory(&Settings->Address, SOME(sizeof(*Settings) - FIELD_OFFSET(SETTINGS, Address)));
    FREE(Settings);
}

/* Fills with a size that was calculated below zero. */
VOID Case_FillsNegativeSize(VOID)
{
    ULONG Length = (ULONG)SOME(10), HeaderLength = 14;
    PUCHAR Bytes = ALLOCATE(64);

    RtlFillMemory(Bytes, Length - HeaderLength, 0xff); // expect: out-of-bounds
    FREE(Bytes);
}

/* Fills nothing, wherever that is. */
VOID Case_FillsNothing(VOID)
{
    PUCHAR Bytes = ALLOCATE(64);

    RtlFillMemory(Bytes + SOME(64), SOME(1) - 1, 0xff);
    RtlCopyMemory(NULL, Bytes, SOME(1) - 1);
    FREE(Bytes);
}

/* Copies from a block that is gone. */
VOID Case_CopiesFromFreedBlock(VOID)
{
    PVOID Source = ExAllocatePoolZero(NonPagedPoolNx, sizeof(Current), TAG);

    FREE(Source);
    RtlCopyMemory(&Current, Source, SOME(sizeof(Current))); // expect: use-after-free
}

/* Copies into a block that is gone. */
VOID Case_CopiesIntoFreedBlock(VOID)
{
    PVOID Target = ALLOCATE(sizeof(Current));

    FREE(Target);
    RtlCopyMemory(Target, &Current, SOME(sizeof(Current))); // expect: use-after-free
}

/* Copies a structure out of a block that is gone, by assignment. */
VOID Case_AssignsFromFreedBlock(VOID)
{
    PSETTINGS Settings = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Settings), TAG);

    FREE(Settings);
    Current = *Settings; // expect: use-after-free
}

/* Makes an array longer by copying as many bytes as the new one has. */
VOID Case_GrowsByNewLength(VOID)
{
    ULONG OldLength = (ULONG)SOME(16), NewLength = 2 * OldLength;
    PUCHAR Old = ExAllocatePoolZero(NonPagedPoolNx, OldLength, TAG);
    PUCHAR New = ALLOCATE(NewLength);

    RtlCopyMemory(New, Old, NewLength); // expect: out-of-bounds
    FREE(Old);
    FREE(New);
}

/* Makes an array longer by copying as many bytes as the old one has. */
VOID Case_GrowsByOldLength(VOID)
{
    ULONG OldLength = (ULONG)SOME(16), NewLength = 2 * OldLength;
    PUCHAR Old = ExAllocatePoolZero(NonPagedPoolNx, OldLength, TAG);
    PUCHAR New = ALLOCATE(NewLength);

    RtlCopyMemory(New, Old, OldLength);
    RtlZeroMemory(New + OldLength, NewLength - OldLength);
    FREE(Old);
    FREE(New);
}

/* Copies more than a static structure has, into the one behind it. */
VOID Case_CopiesBehindStatic(VOID)
{
    UCHAR Local[80] = {0};

    RtlCopyMemory(&Current, Local, SOME(sizeof(Local))); // expect: out-of-bounds
}

/* Copies as many elements as the other array has. */
VOID Case_CopiesElementsOfLargerArray(VOID)
{
    ULONG Local[4];

    RtlCopyMemory(Local, Current.Counters, SOME(sizeof(Current.Counters))); // expect: out-of-bounds
    USE(Local[0]);
}
