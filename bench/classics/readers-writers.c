/* threads: 3. Readers keep out a writer: in the broken one a second reader comes in before the first has kept the writer out. */
#include "classic.h"

static FAST_MUTEX CountLock;
static volatile LONG Readers;
static KEVENT IsFree;
static volatile LONG IsWriting;

static VOID Setup(VOID)
{
    ExInitializeFastMutex(&CountLock);
    KeInitializeEvent(&IsFree, SynchronizationEvent, TRUE);
}

static VOID Read(VOID)
{
    IF_RIGHT(ExAcquireFastMutex(&CountLock);)
    if (InterlockedIncrement(&Readers) == 1) {
        KeWaitForSingleObject(&IsFree, Executive, KernelMode, FALSE, NULL);
    }
    IF_RIGHT(ExReleaseFastMutex(&CountLock);)

    MUST(InterlockedCompareExchange(&IsWriting, 0, 0) == 0);

    IF_RIGHT(ExAcquireFastMutex(&CountLock);)
    if (InterlockedDecrement(&Readers) == 0) {
        KeSetEvent(&IsFree, IO_NO_INCREMENT, FALSE);
    }
    IF_RIGHT(ExReleaseFastMutex(&CountLock);)
}

static VOID Write(VOID)
{
    KeWaitForSingleObject(&IsFree, Executive, KernelMode, FALSE, NULL);
    InterlockedExchange(&IsWriting, 1);
    InterlockedExchange(&IsWriting, 0);
    KeSetEvent(&IsFree, IO_NO_INCREMENT, FALSE);
}

static VOID Thread(ULONG Number)
{
    if (Number == 2) {
        Write();
    } else {
        Read();
    }
}

static VOID Finish(VOID)
{
    MUST(Readers == 0);
}
