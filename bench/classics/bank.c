/* threads: 3. Money goes from one account to another while the sum is taken: the broken one locks one account at a time for the sum. */
#include "classic.h"

static KSPIN_LOCK Locks[2];
static LONG Balances[2];

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Locks[0]);
    KeInitializeSpinLock(&Locks[1]);
    Balances[0] = 100;
    Balances[1] = 100;
}

static VOID Transfer(LONG Amount)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Locks[0], &Irql);
    KeAcquireSpinLockAtDpcLevel(&Locks[1]);
    Balances[0] -= Amount;
    Balances[1] += Amount;
    KeReleaseSpinLockFromDpcLevel(&Locks[1]);
    KeReleaseSpinLock(&Locks[0], Irql);
}

static VOID Audit(VOID)
{
    LONG Sum;
    KIRQL Irql;

    KeAcquireSpinLock(&Locks[0], &Irql);
    Sum = Balances[0];
    IF_BROKEN(KeReleaseSpinLock(&Locks[0], Irql); KeAcquireSpinLock(&Locks[1], &Irql);)
    IF_RIGHT(KeAcquireSpinLockAtDpcLevel(&Locks[1]);)
    Sum += Balances[1];
    IF_RIGHT(KeReleaseSpinLockFromDpcLevel(&Locks[1]); KeReleaseSpinLock(&Locks[0], Irql);)
    IF_BROKEN(KeReleaseSpinLock(&Locks[1], Irql);)
    MUST(Sum == 200);
}

static VOID Thread(ULONG Number)
{
    if (Number == 2) {
        Audit();
    } else {
        Transfer(Number == 0 ? 30 : -20);
    }
}

static VOID Finish(VOID)
{
    MUST(Balances[0] == 90 && Balances[1] == 110);
}
