/* threads: 2. One thread writes into a ring, one reads: the broken writer tells that an entry is there before it has written it. */
#include "classic.h"

#define ENTRIES 2
#define COUNT 3

static LONG Ring[ENTRIES];
static volatile LONG Written;
static volatile LONG Read;

static VOID Setup(VOID) {}

static LONG Seen(volatile LONG* Number)
{
    return InterlockedCompareExchange(Number, 0, 0);
}

static VOID Write(LONG Value)
{
    LONG Place = Written;

    if (Place - Seen(&Read) == ENTRIES) {
        return;
    }
    IF_BROKEN(InterlockedExchange(&Written, Place + 1);)
    Ring[Place % ENTRIES] = Value;
    IF_RIGHT(InterlockedExchange(&Written, Place + 1);)
}

static VOID Take(VOID)
{
    LONG Place = Read;

    if (Place == Seen(&Written)) {
        return;
    }
    MUST(Ring[Place % ENTRIES] > Place);
    InterlockedExchange(&Read, Place + 1);
}

static VOID Thread(ULONG Number)
{
    LONG Round;

    for (Round = 0; Round < COUNT; Round += 1) {
        if (Number == 0) {
            Write(Round + 1);
        } else {
            Take();
        }
    }
}

static VOID Finish(VOID)
{
    MUST(Read <= Written && Written - Read <= ENTRIES);
}
