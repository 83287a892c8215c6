/* threads: 2. One thread makes the numbers up to three, the other adds them: the broken one looks at the number again after it gave it free. */
#include "classic.h"

#define LAST 3

static FAST_MUTEX Mutex;
static KEVENT IsThere;
static KEVENT IsFree;
static LONG Number;
static LONG Total;

static VOID Setup(VOID)
{
    ExInitializeFastMutex(&Mutex);
    KeInitializeEvent(&IsThere, SynchronizationEvent, FALSE);
    KeInitializeEvent(&IsFree, SynchronizationEvent, TRUE);
}

static VOID Make(VOID)
{
    LONG Round;

    for (Round = 1; Round <= LAST; Round += 1) {
        KeWaitForSingleObject(&IsFree, Executive, KernelMode, FALSE, NULL);
        ExAcquireFastMutex(&Mutex);
        Number = Round;
        ExReleaseFastMutex(&Mutex);
        KeSetEvent(&IsThere, IO_NO_INCREMENT, FALSE);
    }
}

static VOID Add(VOID)
{
    LONG Round;

    for (Round = 1; Round <= LAST; Round += 1) {
        KeWaitForSingleObject(&IsThere, Executive, KernelMode, FALSE, NULL);
        IF_BROKEN(KeSetEvent(&IsFree, IO_NO_INCREMENT, FALSE);)
        ExAcquireFastMutex(&Mutex);
        Total += Number;
        ExReleaseFastMutex(&Mutex);
        IF_RIGHT(KeSetEvent(&IsFree, IO_NO_INCREMENT, FALSE);)
    }
}

static VOID Thread(ULONG Index)
{
    if (Index == 0) {
        Make();
    } else {
        Add();
    }
}

static VOID Finish(VOID)
{
    MUST(Total == LAST * (LAST + 1) / 2);
}
