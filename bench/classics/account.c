/* threads: 3. Deposits and withdrawals of one account: the broken one reads the balance before it has the lock. */
#include "classic.h"

static KSPIN_LOCK Lock;
static LONG Balance;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
    Balance = 100;
}

static VOID Thread(ULONG Number)
{
    LONG Amount = Number == 0 ? 50 : Number == 1 ? -30 : 0;
    LONG Old;
    KIRQL Irql;

    IF_BROKEN(Old = Balance;)
    KeAcquireSpinLock(&Lock, &Irql);
    IF_RIGHT(Old = Balance;)
    if (Number < 2) {
        Balance = Old + Amount;
    } else {
        MUST(Old >= 70 && Old <= 150);
    }
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID Finish(VOID)
{
    MUST(Balance == 120);
}
