/* threads: 3. Two threads wait for one item each, and one makes two: after the wait the broken one does not look again whether there is an item. */
#include "classic.h"

static KSPIN_LOCK Lock;
static KEVENT HasItems;
static LONG Items;

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&HasItems, NotificationEvent, FALSE);
}

static VOID Produce(VOID)
{
    ULONG Round;
    KIRQL Irql;

    for (Round = 0; Round < 2; Round += 1) {
        KeAcquireSpinLock(&Lock, &Irql);
        Items += 1;
        KeSetEvent(&HasItems, IO_NO_INCREMENT, FALSE);
        KeReleaseSpinLock(&Lock, Irql);
    }
}

static VOID Consume(VOID)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    IF_RIGHT(while) IF_BROKEN(if) (Items == 0)
    {
        KeClearEvent(&HasItems);
        KeReleaseSpinLock(&Lock, Irql);
        KeWaitForSingleObject(&HasItems, Executive, KernelMode, FALSE, NULL);
        KeAcquireSpinLock(&Lock, &Irql);
    }
    Items -= 1;
    MUST(Items >= 0);
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID Thread(ULONG Number)
{
    if (Number == 0) {
        Produce();
    } else {
        Consume();
    }
}

static VOID Finish(VOID)
{
    MUST(Items == 0);
}
