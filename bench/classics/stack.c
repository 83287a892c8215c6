/* threads: 3. Two threads take from a stack with one entry, one puts onto it: the broken one asks whether it is empty without the lock. */
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
    BOOLEAN HasEntry;

    IF_BROKEN(HasEntry = Depth > 0;)
    KeAcquireSpinLock(&Lock, &Irql);
    IF_RIGHT(HasEntry = Depth > 0;)
    if (HasEntry) {
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
