/* threads: 3. Each thread makes its number from that of its neighbour: in the broken one none waits until the neighbour has made it. */
#include "classic.h"

#define COUNT 3

static FAST_MUTEX Mutex;
static KEVENT HasToken[COUNT];
static LONG Numbers[COUNT];

static VOID Setup(VOID)
{
    ULONG Index;

    ExInitializeFastMutex(&Mutex);
    for (Index = 0; Index < COUNT; Index += 1) {
        KeInitializeEvent(&HasToken[Index], SynchronizationEvent, Index == 0);
    }
}

static VOID Thread(ULONG Number)
{
    ULONG Before = (Number + COUNT - 1) % COUNT;

    IF_RIGHT(KeWaitForSingleObject(&HasToken[Number], Executive, KernelMode, FALSE, NULL);)
    ExAcquireFastMutex(&Mutex);
    Numbers[Number] = Numbers[Before] + 1;
    ExReleaseFastMutex(&Mutex);
    KeSetEvent(&HasToken[(Number + 1) % COUNT], IO_NO_INCREMENT, FALSE);
}

static VOID Finish(VOID)
{
    MUST(Numbers[0] == 1 && Numbers[1] == 2 && Numbers[2] == 3);
}
