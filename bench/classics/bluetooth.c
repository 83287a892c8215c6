/* threads: 3. A driver stops when its last request is over: in the broken one a request looks whether the driver stops before it is counted. */
#include "classic.h"

/* One for the driver itself. */
static volatile LONG Pending = 1;
static volatile LONG IsStopping;
static volatile LONG IsStopped;
static KEVENT NothingPending;

static VOID Setup(VOID)
{
    KeInitializeEvent(&NothingPending, NotificationEvent, FALSE);
}

static VOID Leave(VOID)
{
    if (InterlockedDecrement(&Pending) == 0) {
        KeSetEvent(&NothingPending, IO_NO_INCREMENT, FALSE);
    }
}

static BOOLEAN Enter(VOID)
{
    IF_BROKEN(if (IsStopping) {
        return FALSE;
    })
    InterlockedIncrement(&Pending);
    IF_RIGHT(if (IsStopping) {
        Leave();
        return FALSE;
    })
    return TRUE;
}

static VOID Request(VOID)
{
    if (!Enter()) {
        return;
    }
    MUST(!IsStopped);
    Leave();
}

static VOID Stop(VOID)
{
    InterlockedExchange(&IsStopping, TRUE);
    Leave();
    KeWaitForSingleObject(&NothingPending, Executive, KernelMode, FALSE, NULL);
    InterlockedExchange(&IsStopped, TRUE);
}

static VOID Thread(ULONG Number)
{
    if (Number == 0) {
        Stop();
    } else {
        Request();
    }
}

static VOID Finish(VOID)
{
    MUST(IsStopped && Pending == 0);
}
