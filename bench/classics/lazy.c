/* threads: 3. Two threads add to a number, the third looks at it: the broken one thinks that it comes before both have added. */
#include "classic.h"

static FAST_MUTEX Mutex;
static LONG Data;

static VOID Setup(VOID)
{
    ExInitializeFastMutex(&Mutex);
}

static VOID Thread(ULONG Number)
{
    ExAcquireFastMutex(&Mutex);
    if (Number < 2) {
        Data += (LONG)Number + 1;
    } else {
        MUST(Data <= IF_RIGHT(3) IF_BROKEN(2));
    }
    ExReleaseFastMutex(&Mutex);
}

static VOID Finish(VOID)
{
    MUST(Data == 3);
}
