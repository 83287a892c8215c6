/* threads: 2. A thread waits until there is work: the broken one resets the event after it has looked, and sleeps over what came between. */
#include "classic.h"

#define COUNT 2

static KEVENT HasWork;
static volatile LONG Work;

static VOID Setup(VOID)
{
    KeInitializeEvent(&HasWork, NotificationEvent, FALSE);
}

static VOID Produce(VOID)
{
    LONG Round;

    for (Round = 0; Round < COUNT; Round += 1) {
        InterlockedIncrement(&Work);
        KeSetEvent(&HasWork, IO_NO_INCREMENT, FALSE);
    }
}

static VOID Consume(VOID)
{
    LONG Done = 0;

    while (Done < COUNT) {
        IF_RIGHT(KeClearEvent(&HasWork);)
        Done += InterlockedExchange(&Work, 0);
        IF_BROKEN(KeClearEvent(&HasWork);)
        if (Done < COUNT) {
            KeWaitForSingleObject(&HasWork, Executive, KernelMode, FALSE, NULL);
        }
    }
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
    MUST(Work == 0);
}
