/* threads: 3. Each thread needs two of three mutexes: in the broken one all take the one at their left first. */
#include "classic.h"

#define COUNT 3

static FAST_MUTEX Forks[COUNT];
static ULONG Meals;

static VOID Setup(VOID)
{
    ULONG Index;

    for (Index = 0; Index < COUNT; Index += 1) {
        ExInitializeFastMutex(&Forks[Index]);
    }
}

static VOID Thread(ULONG Number)
{
    ULONG First = Number;
    ULONG Second = (Number + 1) % COUNT;

    IF_RIGHT(if (First > Second) {
        First = 0;
        Second = Number;
    })
    ExAcquireFastMutex(&Forks[First]);
    ExAcquireFastMutex(&Forks[Second]);
    InterlockedIncrement((volatile LONG*)&Meals);
    ExReleaseFastMutex(&Forks[Second]);
    ExReleaseFastMutex(&Forks[First]);
}

static VOID Finish(VOID)
{
    MUST(Meals == COUNT);
}
