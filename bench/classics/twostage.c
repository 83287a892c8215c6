/* threads: 2. A second number is made from a first one, each has a lock: the broken one lets go of the first lock before it has the second. */
#include "classic.h"

static KSPIN_LOCK FirstLock;
static KSPIN_LOCK SecondLock;
static LONG First;
static LONG Second;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&FirstLock);
    KeInitializeSpinLock(&SecondLock);
}

static VOID Write(VOID)
{
    KIRQL Irql;

    KeAcquireSpinLock(&FirstLock, &Irql);
    First = 1;
    IF_BROKEN(KeReleaseSpinLock(&FirstLock, Irql); KeAcquireSpinLock(&SecondLock, &Irql);)
    IF_RIGHT(KeAcquireSpinLockAtDpcLevel(&SecondLock);)
    Second = 2;
    IF_RIGHT(KeReleaseSpinLockFromDpcLevel(&SecondLock); KeReleaseSpinLock(&FirstLock, Irql);)
    IF_BROKEN(KeReleaseSpinLock(&SecondLock, Irql);)
}

static VOID Read(VOID)
{
    LONG Seen;
    KIRQL Irql;

    KeAcquireSpinLock(&FirstLock, &Irql);
    Seen = First;
    KeReleaseSpinLock(&FirstLock, Irql);
    if (Seen == 0) {
        return;
    }
    KeAcquireSpinLock(&SecondLock, &Irql);
    MUST(Second == Seen + 1);
    KeReleaseSpinLock(&SecondLock, Irql);
}

static VOID Thread(ULONG Number)
{
    if (Number == 0) {
        Write();
    } else {
        Read();
    }
}

static VOID Finish(VOID)
{
    MUST(First == 1 && Second == 2);
}
