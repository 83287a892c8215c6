/* Blocks of pool: used after they were freed, and before and behind their bytes. */
#include "driver.h"

typedef struct _NODE {
    struct _NODE *Next;
    ULONG Value;
} NODE, *PNODE;

typedef struct _FRAME {
    ULONG Words[16];
} FRAME, *PFRAME;

static PNODE MakeNode(PNODE Next)
{
    PNODE Node = ALLOCATE(sizeof(*Node));

    Node->Next = Next;
    Node->Value = 7;
    return Node;
}

/* Reads a member of a structure that was just freed. */
VOID Case_ReadsFreedBlock(VOID)
{
    PNODE Node = MakeNode(NULL);

    FREE(Node);
    USE(Node->Value); // expect: use-after-free
}

/* Reads a member of a structure and frees it then. */
VOID Case_ReadsThenFrees(VOID)
{
    PNODE Node = MakeNode(NULL);

    USE(Node->Value);
    FREE(Node);
}

/* Writes a member of a structure that was just freed. */
VOID Case_WritesFreedBlock(VOID)
{
    PNODE Node = MakeNode(NULL);

    FREE(Node);
    Node->Value = 8; // expect: use-after-free
}

/* Frees the nodes of a list, and asks each for its successor when it is gone. */
VOID Case_FreesListThenAdvances(VOID)
{
    PNODE Node = MakeNode(MakeNode(NULL));

    while (Node != NULL) {
        FREE(Node);
        Node = Node->Next; // expect: use-after-free
    }
}

/* Frees the nodes of a list, each after its successor is known. */
VOID Case_AdvancesThenFrees(VOID)
{
    PNODE Node = MakeNode(MakeNode(NULL));
    PNODE Next;

    for (; Node != NULL; Node = Next) {
        Next = Node->Next;
        FREE(Node);
    }
}

/* Keeps a second pointer into a block that is freed through the first. */
VOID Case_FreedThroughAlias(VOID)
{
    PNODE Node = MakeNode(NULL);
    PULONG Value = &Node->Value;

    FREE(Node);
    *Value = 9; // expect: use-after-free
}

/* Frees a block and uses the next one of the same size. */
VOID Case_UsesNextBlockOfSameSize(VOID)
{
    PNODE Node;
    ULONG Index;

    for (Index = 0; Index < 20; Index += 1) {
        Node = MakeNode(NULL);
        Node->Value = Index;
        FREE(Node);
    }
}

/* Uses the last of many blocks that came and went, whose memory may have been given to somebody else meanwhile. */
VOID Case_StaleAfterManyOthers(VOID)
{
    PNODE Stale = MakeNode(NULL);
    ULONG Index;

    FREE(Stale);
    for (Index = 0; Index < 3; Index += 1) {
        FREE(MakeNode(NULL));
    }
    Stale->Value = 1; // expect: use-after-free
}

/* Writes the byte behind a block. */
VOID Case_WritesByteBehind(VOID)
{
    PUCHAR Bytes = ALLOCATE(10);

    Bytes[SOME(10)] = 1; // expect: out-of-bounds
    FREE(Bytes);
}

/* Writes the last byte of a block. */
VOID Case_WritesLastByte(VOID)
{
    PUCHAR Bytes = ALLOCATE(10);

    Bytes[SOME(9)] = 1;
    FREE(Bytes);
}

/* Reads the byte behind a block. */
VOID Case_ReadsByteBehind(VOID)
{
    PUCHAR Bytes = ExAllocatePoolZero(NonPagedPoolNx, 13, TAG);

    USE(Bytes[SOME(13)]); // expect: out-of-bounds
    FREE(Bytes);
}

/* Writes the byte before a block. */
VOID Case_WritesByteBefore(VOID)
{
    PUCHAR Bytes = ALLOCATE(16);

    Bytes[SOME(-1)] = 1; // expect: out-of-bounds
    FREE(Bytes);
}

/* Reads backwards through a block, one byte too far. */
VOID Case_ReadsByteBefore(VOID)
{
    PUCHAR Bytes = ExAllocatePoolZero(NonPagedPoolNx, 16, TAG);
    LONG Index;

    for (Index = SOME(15); Index >= -1; Index -= 1) {
        USE(Bytes[Index]); // expect: out-of-bounds
    }
    FREE(Bytes);
}

/* Reads backwards through a block, to its first byte. */
VOID Case_ReadsDownToFirst(VOID)
{
    PUCHAR Bytes = ExAllocatePoolZero(NonPagedPoolNx, 16, TAG);
    LONG Index;

    for (Index = SOME(15); Index >= 0; Index -= 1) {
        USE(Bytes[Index]);
    }
    FREE(Bytes);
}

/* Writes a word of which only the first half is in the block. */
VOID Case_WritesWordAcrossEnd(VOID)
{
    PUCHAR Bytes = ALLOCATE(10);

    *(ULONG UNALIGNED *)(Bytes + SOME(8)) = 1; // expect: out-of-bounds
    FREE(Bytes);
}

/* Writes a word at an odd address, whose last byte is the block's last. */
VOID Case_WritesUnalignedLastWord(VOID)
{
    PUCHAR Bytes = ALLOCATE(11);

    *(ULONG UNALIGNED *)(Bytes + SOME(7)) = 1;
    FREE(Bytes);
}

/* Goes through an array with <= where < is meant. */
VOID Case_LoopsOnceTooOften(VOID)
{
    PULONG Words = ALLOCATE(8 * sizeof(ULONG));
    ULONG Index;

    for (Index = 0; Index <= (ULONG)SOME(8); Index += 1) {
        Words[Index] = Index; // expect: out-of-bounds
    }
    FREE(Words);
}

/* Goes through an array with <. */
VOID Case_LoopsAsOftenAsThereAre(VOID)
{
    PULONG Words = ALLOCATE(8 * sizeof(ULONG));
    ULONG Index;

    for (Index = 0; Index < (ULONG)SOME(8); Index += 1) {
        Words[Index] = Index;
    }
    FREE(Words);
}

/* Jumps far over the end of a block, behind anything that could be a red zone. */
VOID Case_WritesFarBehind(VOID)
{
    PULONG Words = ALLOCATE(4 * sizeof(ULONG));

    Words[SOME(5000)] = 1; // expect: out-of-bounds
    FREE(Words);
}

/* Assigns a structure into a block that holds half of it. */
VOID Case_CopiesStructureIntoSmallBlock(VOID)
{
    FRAME Frame = {{0}};
    PFRAME Copy = ALLOCATE(sizeof(FRAME) / 2);

    Frame.Words[0] = SOME(1);
    *Copy = Frame; // expect: out-of-bounds
    FREE(Copy);
}

/* Allocates as many bytes as a pointer to the structure has. */
VOID Case_AllocatesSizeOfPointer(VOID)
{
    PFRAME Frame = ALLOCATE(sizeof(Frame));

    Frame->Words[SOME(0)] = 1;
    Frame->Words[SOME(3)] = 1; // expect: out-of-bounds
    FREE(Frame);
}

/* Allocates as many bytes as the structure has. */
VOID Case_AllocatesSizeOfStructure(VOID)
{
    PFRAME Frame = ALLOCATE(sizeof(*Frame));

    Frame->Words[SOME(3)] = 1;
    Frame->Words[SOME(15)] = 1;
    FREE(Frame);
}

/* Allocates so many bytes, and writes so many characters of two bytes each. */
VOID Case_AllocatesCharactersAsBytes(VOID)
{
    ULONG Length = SOME(12), Index;
    PWCHAR Text = ALLOCATE(Length);

    for (Index = 0; Index < Length; Index += 1) {
        Text[Index] = L'x'; // expect: out-of-bounds
    }
    FREE(Text);
}

/* Allocates two bytes for each character. */
VOID Case_AllocatesCharacters(VOID)
{
    ULONG Length = SOME(12), Index;
    PWCHAR Text = ALLOCATE(Length * sizeof(WCHAR));

    for (Index = 0; Index < Length; Index += 1) {
        Text[Index] = L'x';
    }
    FREE(Text);
}
