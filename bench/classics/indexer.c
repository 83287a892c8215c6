/* threads: 3. Threads put their keys into a hash table with open addressing: the broken one looks whether a place is free before it takes it. */
#include "classic.h"

#define PLACES 4
#define KEYS 3

/* 0: free. */
static volatile LONG Table[PLACES];

static VOID Setup(VOID) {}

static BOOLEAN Take(ULONG Place, LONG Key)
{
#ifdef BROKEN
    if (Table[Place] != 0) {
        return FALSE;
    }
    Table[Place] = Key;
    return TRUE;
#else
    return InterlockedCompareExchange(&Table[Place], Key, 0) == 0;
#endif
}

static VOID Thread(ULONG Number)
{
    LONG Key = (LONG)(1 + Number * 2);
    ULONG Place = (ULONG)Key % 2;

    while (!Take(Place, Key)) {
        Place = (Place + 1) % PLACES;
    }
}

static VOID Finish(VOID)
{
    LONG Sum = 0;
    ULONG Place;

    for (Place = 0; Place < PLACES; Place += 1) {
        Sum += Table[Place];
    }
    MUST(Sum == 1 + 3 + 5);
}
