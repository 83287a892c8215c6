/* threads: 3. The first of a group takes the room and the last one leaves it: in the broken one both groups are counted under one lock. */
#include "classic.h"

static FAST_MUTEX CountLocks[2];
static LONG Inside[2];
/* Signalled: nobody is in the room. */
static KEVENT Room;
static volatile LONG Group = -1;

static VOID Setup(VOID)
{
    ExInitializeFastMutex(&CountLocks[0]);
    ExInitializeFastMutex(&CountLocks[1]);
    KeInitializeEvent(&Room, SynchronizationEvent, TRUE);
}

static VOID Thread(ULONG Number)
{
    LONG Own = (LONG)Number % 2;
    PFAST_MUTEX Lock = &CountLocks[IF_RIGHT(Own) IF_BROKEN(0)];

    ExAcquireFastMutex(Lock);
    Inside[Own] += 1;
    if (Inside[Own] == 1) {
        KeWaitForSingleObject(&Room, Executive, KernelMode, FALSE, NULL);
        Group = Own;
    }
    ExReleaseFastMutex(Lock);

    ExAcquireFastMutex(Lock);
    MUST(Group == Own);
    Inside[Own] -= 1;
    if (Inside[Own] == 0) {
        KeSetEvent(&Room, IO_NO_INCREMENT, FALSE);
    }
    ExReleaseFastMutex(Lock);
}

static VOID Finish(VOID)
{
    MUST(Inside[0] == 0 && Inside[1] == 0);
}
