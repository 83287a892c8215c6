/* threads: 3. A counter under a lock: in the broken one the last thread takes another lock. */
#include "classic.h"

static KSPIN_LOCK Lock;
static KSPIN_LOCK OtherLock;
static LONG Counter;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
    KeInitializeSpinLock(&OtherLock);
}

static VOID Thread(ULONG Number)
{
    PKSPIN_LOCK Own = IF_RIGHT(&Lock) IF_BROKEN(Number == 2 ? &OtherLock : &Lock);
    LONG Seen;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Number);
    KeAcquireSpinLock(Own, &Irql);
    Seen = Counter;
    Counter = Seen + 1;
    KeReleaseSpinLock(Own, Irql);
}

static VOID Finish(VOID)
{
    MUST(Counter == 3);
}
