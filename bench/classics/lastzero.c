/* threads: 3. One looks for the last zero of a row in which others count: the broken one gives back the lock before it uses what it found. */
#include "classic.h"

#define WORDS 3

static KSPIN_LOCK Lock;
static LONG Row[WORDS];

static VOID Setup(VOID)
{
    KeInitializeSpinLock(&Lock);
}

static VOID LookForLastZero(VOID)
{
    ULONG Index = WORDS - 1;
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    while (Row[Index] != 0) {
        Index -= 1;
    }
    IF_BROKEN(KeReleaseSpinLock(&Lock, Irql); KeAcquireSpinLock(&Lock, &Irql);)
    MUST(Row[Index] == 0);
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID Thread(ULONG Number)
{
    KIRQL Irql;

    if (Number == 0) {
        LookForLastZero();
        return;
    }
    KeAcquireSpinLock(&Lock, &Irql);
    Row[Number] = Row[Number - 1] + 1;
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID Finish(VOID)
{
    MUST(Row[0] == 0 && Row[1] == 1 && (Row[2] == 1 || Row[2] == 2));
}
