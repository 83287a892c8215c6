/* threads: 3. A semaphore counts free buffers, a lock is for taking one: the broken one looks for a free buffer without the lock. */
#include "classic.h"

#define BUFFERS 2

static KSEMAPHORE Free;
static KSPIN_LOCK Lock;
static ULONG IsTaken;
static volatile LONG Users[BUFFERS];

static VOID Setup(VOID)
{
    KeInitializeSemaphore(&Free, BUFFERS, BUFFERS);
    KeInitializeSpinLock(&Lock);
}

static VOID Mark(ULONG Buffer, BOOLEAN Taken)
{
    if (Taken) {
        IsTaken |= 1u << Buffer;
    } else {
        IsTaken &= ~(1u << Buffer);
    }
}

static VOID Thread(ULONG Number)
{
    ULONG Buffer;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Number);
    KeWaitForSingleObject(&Free, Executive, KernelMode, FALSE, NULL);
    IF_BROKEN(Buffer = IsTaken & 1;)
    KeAcquireSpinLock(&Lock, &Irql);
    IF_RIGHT(Buffer = IsTaken & 1;)
    Mark(Buffer, TRUE);
    KeReleaseSpinLock(&Lock, Irql);

    MUST(InterlockedIncrement(&Users[Buffer]) == 1);
    InterlockedDecrement(&Users[Buffer]);

    KeAcquireSpinLock(&Lock, &Irql);
    Mark(Buffer, FALSE);
    KeReleaseSpinLock(&Lock, Irql);
    KeReleaseSemaphore(&Free, IO_NO_INCREMENT, 1, FALSE);
}

static VOID Finish(VOID)
{
    MUST(IsTaken == 0);
}
