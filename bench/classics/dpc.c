/* threads: 2. A thread and a DPC count in the same number: the broken thread only raises its IRQL, though the DPC may run on another processor. */
#include "classic.h"

static KSPIN_LOCK Lock;
static KDPC Dpc;
static volatile LONG Count;

static VOID Deferred(PKDPC Own, PVOID Context, PVOID First, PVOID Second)
{
    LONG Seen;

    UNREFERENCED_PARAMETER(Own);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    KeAcquireSpinLockAtDpcLevel(&Lock);
    Seen = Count;
    Count = Seen + 1;
    KeReleaseSpinLockFromDpcLevel(&Lock);
}

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
    KeInitializeDpc(&Dpc, Deferred, NULL);
}

static VOID Thread(ULONG Number)
{
    LONG Seen;
    KIRQL Irql;

    if (Number == 0) {
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        return;
    }
    IF_RIGHT(KeAcquireSpinLock(&Lock, &Irql);)
    IF_BROKEN(KeRaiseIrql(DISPATCH_LEVEL, &Irql);)
    Seen = Count;
    Count = Seen + 1;
    IF_RIGHT(KeReleaseSpinLock(&Lock, Irql);)
    IF_BROKEN(KeLowerIrql(Irql);)
}

static VOID Finish(VOID)
{
    MUST(Count == 2);
}
