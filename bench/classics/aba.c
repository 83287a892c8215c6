/* threads: 2. A stack without a lock: the broken one takes its first entry if that is still the same, though it may have been away meanwhile. */
#include "classic.h"

#define ENTRIES 2

typedef struct _ENTRY {
    SLIST_ENTRY Link;
    volatile LONG IsOut;
} ENTRY, *PENTRY;

static DECLSPEC_ALIGN(8) ENTRY Entries[ENTRIES];
IF_RIGHT(static SLIST_HEADER Stack;)
IF_BROKEN(static PSLIST_ENTRY volatile Stack;)

static VOID Push(PENTRY Entry)
{
    IF_RIGHT(InterlockedPushEntrySList(&Stack, &Entry->Link);)
    IF_BROKEN(PSLIST_ENTRY First; do {
        First = Stack;
        Entry->Link.Next = First;
    } while (InterlockedCompareExchangePointer((PVOID volatile*)&Stack, &Entry->Link, First) != First);)
}

static PENTRY Pop(VOID)
{
    IF_RIGHT(return (PENTRY)InterlockedPopEntrySList(&Stack);)
    IF_BROKEN(PSLIST_ENTRY First; PSLIST_ENTRY Next; do {
        First = Stack;
        if (First == NULL) {
            return NULL;
        }
        Next = First->Next;
    } while (InterlockedCompareExchangePointer((PVOID volatile*)&Stack, Next, First) != First);
              return (PENTRY)First;)
}

static VOID Setup(VOID)
{
    IF_RIGHT(InitializeSListHead(&Stack);)
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
