/* threads: 2. What is made at its first use, and asked for first without the lock: the broken one tells that it is there before it is. */
#include "classic.h"

static FAST_MUTEX Mutex;
static volatile LONG IsMade;
static LONG Value;
static LONG TimesMade;

static VOID Setup(VOID)
{
    ExInitializeFastMutex(&Mutex);
}

static VOID Make(VOID)
{
    IF_BROKEN(InterlockedExchange(&IsMade, TRUE);)
    Value = 7;
    TimesMade += 1;
    IF_RIGHT(InterlockedExchange(&IsMade, TRUE);)
}

static VOID Thread(ULONG Number)
{
    UNREFERENCED_PARAMETER(Number);
    if (!InterlockedCompareExchange(&IsMade, 0, 0)) {
        ExAcquireFastMutex(&Mutex);
        if (!InterlockedCompareExchange(&IsMade, 0, 0)) {
            Make();
        }
        ExReleaseFastMutex(&Mutex);
    }
    MUST(Value == 7);
}

static VOID Finish(VOID)
{
    MUST(TimesMade == 1);
}
