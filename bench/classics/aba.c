/* threads: 2. A stack without a lock: the broken one takes its first entry if that is still the same, though it may have been away meanwhile. */
#include "classic.h"

#define ENTRIES 2

typedef struct _ENTRY {
    SLIST_ENTRY Link;
    volatile LONG IsOut;
} ENTRY, *PENTRY;

static DECLSPEC_ALIGN(8) ENTRY Entries[ENTRIES];

#ifdef BROKEN
static PSLIST_ENTRY volatile Stack;

static VOID Initialize(VOID) {}

static PSLIST_ENTRY Replace(PSLIST_ENTRY Old, PSLIST_ENTRY New)
{
    return InterlockedCompareExchangePointer((PVOID volatile*)&Stack, New, Old);
}

static VOID Push(PENTRY Entry)
{
    PSLIST_ENTRY First;

    do {
        First = Stack;
        Entry->Link.Next = First;
    } while (Replace(First, &Entry->Link) != First);
}

static PENTRY Pop(VOID)
{
    PSLIST_ENTRY First;
    PSLIST_ENTRY Next;

    do {
        First = Stack;
        if (First == NULL) {
            return NULL;
        }
        Next = First->Next;
    } while (Replace(First, Next) != First);
    return (PENTRY)First;
}
#else
static SLIST_HEADER Stack;

static VOID Initialize(VOID)
{
    InitializeSListHead(&Stack);
}

static VOID Push(PENTRY Entry)
{
    InterlockedPushEntrySList(&Stack, &Entry->Link);
}

static PENTRY Pop(VOID)
{
    return (PENTRY)InterlockedPopEntrySList(&Stack);
}
#endif

static VOID Setup(VOID)
{
    Initialize();
    Push(&Entries[1]);
    Push(&Entries[0]);
}

static PENTRY Take(VOID)
{
    PENTRY Entry = Pop();

    if (Entry != NULL) {
        MUST(InterlockedIncrement(&Entry->IsOut) == 1);
    }
    return Entry;
}

static VOID GiveBack(PENTRY Entry)
{
    if (Entry != NULL) {
        InterlockedDecrement(&Entry->IsOut);
        Push(Entry);
    }
}

static VOID Thread(ULONG Number)
{
    PENTRY First = Take();

    if (Number == 0) {
        Take();
        GiveBack(First);
    } else {
        Take();
    }
}

static VOID Finish(VOID) {}
