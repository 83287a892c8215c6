/* threads: 3. Two threads put into a queue for one, and a third takes out: the broken one asks whether there is room before it has the lock. */
#include "classic.h"

#define ROOM 1

static KSPIN_LOCK Lock;
static ULONG Items[ROOM + 1];
static ULONG Count;
static ULONG Refused;
static ULONG Taken;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
}

static VOID Put(ULONG Item)
{
    KIRQL Irql;
    BOOLEAN HasRoom;

    IF_BROKEN(HasRoom = Count < ROOM;)
    KeAcquireSpinLock(&Lock, &Irql);
    IF_RIGHT(HasRoom = Count < ROOM;)
    if (HasRoom) {
        MUST(Count < ROOM);
        Items[Count] = Item;
        Count += 1;
    } else {
        Refused += 1;
    }
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID Take(VOID)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    if (Count > 0) {
        Count -= 1;
        MUST(Items[Count] != 0);
        Taken += 1;
    }
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID Thread(ULONG Number)
{
    if (Number == 2) {
        Take();
    } else {
        Put(Number + 1);
    }
}

static VOID Finish(VOID)
{
    MUST(Refused + Taken + Count == 2);
}
