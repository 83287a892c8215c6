/* threads: 3. Two threads set a pair, the third sees none or both: the broken ones have no lock, and it may see one half. */
#include "classic.h"

static KSPIN_LOCK Lock;
static volatile LONG First;
static volatile LONG Second;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
}

static VOID Set(VOID)
{
    IF_RIGHT(KIRQL Irql; KeAcquireSpinLock(&Lock, &Irql);)
    First = 1;
    Second = -1;
    IF_RIGHT(KeReleaseSpinLock(&Lock, Irql);)
}

static VOID Check(VOID)
{
    IF_RIGHT(KIRQL Irql; KeAcquireSpinLock(&Lock, &Irql);)
    MUST(First + Second == 0);
    IF_RIGHT(KeReleaseSpinLock(&Lock, Irql);)
}

static VOID Thread(ULONG Number)
{
    if (Number < 2) {
        Set();
    } else {
        Check();
    }
}

static VOID Finish(VOID)
{
    MUST(First == 1 && Second == -1);
}
