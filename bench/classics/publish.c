/* threads: 2. A writer replaces a version that readers may still use: the broken one frees the old one without waiting for them. */
#include "classic.h"

typedef struct _VERSION {
    LONG Value;
} VERSION, *PVERSION;

static PVERSION volatile Current;
static PVERSION Next;
static volatile LONG Readers;
static KEVENT NoReaders;

static VOID Setup(VOID)
{
    KeInitializeEvent(&NoReaders, NotificationEvent, FALSE);
    Current = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(VERSION), 'tseT');
    Next = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(VERSION), 'tseT');
    if (Current != NULL) {
        Current->Value = 1;
    }
    if (Next != NULL) {
        Next->Value = 2;
    }
    /* One for whoever publishes. */
    Readers = 1;
}

static VOID Leave(VOID)
{
    if (InterlockedDecrement(&Readers) == 0) {
        KeSetEvent(&NoReaders, IO_NO_INCREMENT, FALSE);
    }
}

static VOID Read(VOID)
{
    PVERSION Version;

    InterlockedIncrement(&Readers);
    Version = InterlockedCompareExchangePointer((PVOID volatile*)&Current, NULL, NULL);
    if (Version != NULL) {
        MUST(Version->Value == 1 || Version->Value == 2);
    }
    Leave();
}

static VOID Publish(VOID)
{
    PVERSION Old = InterlockedExchangePointer((PVOID volatile*)&Current, Next);

    IF_RIGHT(Leave(); KeWaitForSingleObject(&NoReaders, Executive, KernelMode, FALSE, NULL);)
    if (Old != NULL) {
        ExFreePool(Old);
    }
}

static VOID Thread(ULONG Number)
{
    if (Number == 0) {
        Publish();
    } else {
        Read();
    }
}

static VOID Finish(VOID)
{
    if (Current != NULL) {
        ExFreePool(Current);
    }
}
