/* threads: 3. Whoever is last to arrive begins the next phase: the broken one asks whether it is the last after it has given back the lock. */
#include "classic.h"

#define COUNT 3

static KSPIN_LOCK Lock;
static LONG Arrived;
static volatile LONG Phase;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
}

static VOID Thread(ULONG Number)
{
    BOOLEAN IsLast;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Number);
    KeAcquireSpinLock(&Lock, &Irql);
    Arrived += 1;
    IF_RIGHT(IsLast = Arrived == COUNT;)
    KeReleaseSpinLock(&Lock, Irql);
    IF_BROKEN(IsLast = Arrived == COUNT;)
    if (IsLast) {
        InterlockedIncrement(&Phase);
    }
}

static VOID Finish(VOID)
{
    MUST(Phase == 1);
}
