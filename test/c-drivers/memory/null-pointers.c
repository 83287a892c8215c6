/* Null pointers. */
#include "driver.h"

/* More than pool has: the allocation fails. */
#define TOO_MANY_BYTES 0x10000000

typedef struct _NODE {
    struct _NODE *Next;
    ULONG Value;
    VOID (*Handler)(VOID);
} NODE, *PNODE;

static PNODE First;

static PNODE FindNode(ULONG Value)
{
    PNODE Node = First;

    while (Node != NULL && Node->Value != Value) {
        Node = Node->Next;
    }
    return Node;
}

/* Uses what a search found, which is nothing. */
VOID Case_ReadsNodeNotFound(VOID)
{
    USE(FindNode(3)->Value); // expect: null-access
}

/* Uses what a search found, if it is something. */
VOID Case_ReadsNodeIfFound(VOID)
{
    PNODE Node = FindNode(3);

    if (Node != NULL) {
        USE(Node->Value);
    }
}

/* Writes into an allocation that failed. */
VOID Case_WritesFailedAllocation(VOID)
{
    PNODE Node = ALLOCATE(SOME(TOO_MANY_BYTES));

    Node->Value = 1; // expect: null-access
    FREE(Node);
}

/* Clears an allocation that failed. */
VOID Case_ClearsFailedAllocation(VOID)
{
    PVOID Block = ALLOCATE(SOME(TOO_MANY_BYTES));

    RtlZeroMemory(Block, SOME(64)); // expect: null-access
    FREE(Block);
}

/* Looks at an allocation that failed. */
VOID Case_LooksAtFailedAllocation(VOID)
{
    PNODE Node = ALLOCATE(SOME(TOO_MANY_BYTES));

    if (Node == NULL) {
        return;
    }
    Node->Value = 1;
    FREE(Node);
}

/* Looks for null only when the pointer was used. */
VOID Case_LooksTooLate(VOID)
{
    PNODE Node = FindNode(3);

    USE(Node->Value); // expect: null-access
    if (Node != NULL) {
        Node->Value = 4;
    }
}

/* Copies from null. */
VOID Case_CopiesFromNull(VOID)
{
    ULONG Words[4];

    RtlCopyMemory(Words, FindNode(3), SOME(sizeof(Words))); // expect: null-access
    USE(Words[0]);
}

/* Sets an event at null. */
VOID Case_SetsEventAtNull(VOID)
{
    KeSetEvent((PKEVENT)FindNode(3), IO_NO_INCREMENT, FALSE); // expect: null-access
}

/* Initializes a list at null. */
VOID Case_InitializesListAtNull(VOID)
{
    InitializeListHead((PLIST_ENTRY)FindNode(3)); // expect: null-access
}

/* Measures a string at null. */
VOID Case_MeasuresNull(VOID)
{
    USE(strlen((PCSTR)FindNode(3))); // expect: null-access
}

/* Initializes a counted string without a source, which makes it empty. */
VOID Case_InitializesStringFromNull(VOID)
{
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, NULL);
    USE(String.Length);
}

/* Calls a handler that was never set. */
VOID Case_CallsHandlerNotSet(VOID)
{
    PNODE Node = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Node), TAG);

    Node->Handler(); // expect: trap
    FREE(Node);
}

/* Takes an offset of a structure at null, and accesses nothing. */
VOID Case_TakesOffset(VOID)
{
    USE((ULONG_PTR)&((PNODE)NULL)->Value);
    USE(FIELD_OFFSET(NODE, Handler));
}
