/* threads: 2. Two spin locks for one counter: in the broken one the threads take them in different orders. */
#include "classic.h"

static KSPIN_LOCK Locks[2];
static ULONG Counter;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Locks[0]);
    KeInitializeSpinLock(&Locks[1]);
}

static VOID Thread(ULONG Number)
{
    PKSPIN_LOCK First = &Locks[IF_RIGHT(0) IF_BROKEN(Number)];
    PKSPIN_LOCK Second = &Locks[IF_RIGHT(1) IF_BROKEN(1 - Number)];
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Number);
    KeAcquireSpinLock(First, &Irql);
    KeAcquireSpinLockAtDpcLevel(Second);
    Counter += 1;
    KeReleaseSpinLockFromDpcLevel(Second);
    KeReleaseSpinLock(First, Irql);
}

static VOID Finish(VOID)
{
    MUST(Counter == 2);
}
