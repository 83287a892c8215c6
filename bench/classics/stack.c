/* threads: 3. A stack with one entry, from which two threads take and onto which one puts: the broken one asks whether it is empty without the lock. */
#include "classic.h"

static KSPIN_LOCK Lock;
static LONG Depth = 1;
static LONG Taken;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
}

static VOID Push(VOID)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    Depth += 1;
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID Pop(VOID)
{
    KIRQL Irql;

    IF_BROKEN(if (Depth == 0) return;)
    KeAcquireSpinLock(&Lock, &Irql);
    IF_RIGHT(if (Depth > 0))
    {
        Depth -= 1;
        Taken += 1;
    }
    MUST(Depth >= 0);
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID Thread(ULONG Number)
{
    if (Number == 0) {
        Push();
    } else {
        Pop();
    }
}

static VOID Finish(VOID)
{
    MUST(Depth + Taken == 2);
}
