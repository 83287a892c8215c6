/* Flags, counters and pointers that threads read without a lock, as is usual, and what goes wrong with them. */
#include "driver.h"
#include "threads.h"

typedef struct _OBJECT {
    LONG References;
    ULONG Value;
} OBJECT, *POBJECT;

static volatile BOOLEAN IsStopping;
static volatile LONG Counter;
static ULONG Result;
static POBJECT volatile Published;
static FAST_MUTEX Mutex;

static POBJECT MakeObject(ULONG Value)
{
    POBJECT Object = ALLOCATE(sizeof(*Object));

    Object->References = 1;
    Object->Value = Value;
    return Object;
}

static VOID RunUntilStopped(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    while (!IsStopping) { // expect-warning: data-race
        Sleep(1);
    }
}

static VOID Stop(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Sleep(5);
    IsStopping = TRUE; // expect-warning: data-race
}

/* Polls a volatile flag that the other thread sets. */
VOID Case_PollsFlag(VOID)
{
    RunBoth(RunUntilStopped, Stop);
}

static volatile LONG64 Deadline;

static VOID ReadDeadline(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    USE(Deadline); // expect: data-race
}

static VOID SetDeadline(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Deadline = 1ll << 40; // expect: data-race
}

/* Sets a volatile number that the other thread reads, and that is written in two halves where a word has 32 bits. */
VOID Case_SetsVolatileOfTwoWords(VOID)
{
    RunBoth(ReadDeadline, SetDeadline);
}

static VOID RunUntilTold(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    while (InterlockedCompareExchange(&Counter, 0, 0) == 0) {
        Sleep(1);
    }
    USE(Result);
}

static VOID Tell(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Sleep(5);
    Result = 7;
    InterlockedExchange(&Counter, 1);
}

/* Asks by an interlocked operation for a flag that is set by one, and reads then what was written before it. */
VOID Case_PollsInterlockedFlag(VOID)
{
    RunBoth(RunUntilTold, Tell);
}

static VOID Finish(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    IsStopping = TRUE; // expect-warning: data-race
    Sleep(2);
    Result = 7; // expect: data-race
}

static VOID ReadWhenFinished(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    while (!IsStopping) { // expect-warning: data-race
        Sleep(1);
    }
    USE(Result); // expect: data-race
}

/* Sets the flag before what it stands for is written. */
VOID Case_SetsFlagBeforeResult(VOID)
{
    RunBoth(Finish, ReadWhenFinished);
}

static VOID CountInterlocked(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    InterlockedIncrement(&Counter); // expect-warning: data-race
}

static VOID ReadCounter(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    USE(Counter); // expect-warning: data-race
}

/* Reads an aligned counter that the other thread counts by interlocked operations. */
VOID Case_ReadsInterlockedCounter(VOID)
{
    RunBoth(CountInterlocked, ReadCounter);
}

static VOID PublishTooEarly(PVOID Context)
{
    POBJECT Object = ALLOCATE(sizeof(*Object));

    UNREFERENCED_PARAMETER(Context);
    InterlockedExchangePointer((PVOID *)&Published, Object);
    Object->Value = 5; // expect: data-race
}

static VOID UsePublished(PVOID Context)
{
    POBJECT Object;

    UNREFERENCED_PARAMETER(Context);
    while ((Object = InterlockedCompareExchangePointer((PVOID *)&Published, NULL, NULL)) == NULL) {
        Sleep(1);
    }
    USE(Object->Value); // expect: data-race
}

/* Publishes a pointer before what it points to is set. */
VOID Case_PublishesBeforeInitializing(VOID)
{
    RunBoth(PublishTooEarly, UsePublished);
    FREE(Published);
}

static VOID Publish(PVOID Context)
{
    POBJECT Object = MakeObject(5);

    UNREFERENCED_PARAMETER(Context);
    InterlockedExchangePointer((PVOID *)&Published, Object);
}

static VOID Take(PVOID Context)
{
    POBJECT Object;

    UNREFERENCED_PARAMETER(Context);
    while ((Object = InterlockedExchangePointer((PVOID *)&Published, NULL)) == NULL) {
        Sleep(1);
    }
    Object->Value += 1;
    FREE(Object);
}

/* Publishes a pointer by an interlocked exchange when what it points to is set; who takes it by one owns it. */
VOID Case_HandsOverByExchange(VOID)
{
    RunBoth(Publish, Take);
}

static POBJECT Instance;

static VOID UseInstance(PVOID Context)
{
    POBJECT Made;

    UNREFERENCED_PARAMETER(Context);
    if (Instance == NULL) { // expect: data-race
        ExAcquireFastMutex(&Mutex);
        if (Instance == NULL) {
            Made = ALLOCATE(sizeof(*Made));
            Made->Value = 5; // expect: data-race
            Instance = Made; // expect: data-race
        }
        ExReleaseFastMutex(&Mutex);
    }
    USE(Instance->Value); // expect: data-race
}

/* Looks whether the object is there without the lock, and then again with it. */
VOID Case_ChecksTwice(VOID)
{
    ExInitializeFastMutex(&Mutex);
    RunBoth(UseInstance, UseInstance);
    FREE(Instance);
}

static VOID UseInstanceUnderLock(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExAcquireFastMutex(&Mutex);
    if (Instance == NULL) {
        Instance = MakeObject(5);
    }
    ExReleaseFastMutex(&Mutex);
    USE(Instance->Value);
}

/* Looks whether the object is there under the lock, and uses it later without: nobody writes it any more. */
VOID Case_ChecksUnderLock(VOID)
{
    ExInitializeFastMutex(&Mutex);
    RunBoth(UseInstanceUnderLock, UseInstanceUnderLock);
    FREE(Instance);
}

static POBJECT Counted;

static VOID ReleasePlainly(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Counted->References -= 1; // expect: data-race
}

/* Two threads give up a reference by a plain decrement. */
VOID Case_ReleasesByPlainDecrement(VOID)
{
    Counted = MakeObject(1);
    Counted->References = 3;
    RunBoth(ReleasePlainly, ReleasePlainly);
    FREE(Counted);
}

static VOID Release(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    USE(Counted->Value);
    if (InterlockedDecrement(&Counted->References) == 0) {
        FREE(Counted);
    }
}

/* Two threads give up a reference by an interlocked decrement, and the last frees the object that both have read. */
VOID Case_ReleasesByInterlockedDecrement(VOID)
{
    Counted = MakeObject(1);
    Counted->References = 2;
    RunBoth(Release, Release);
}

static VOID ReleaseThenUse(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (InterlockedDecrement(&Counted->References) == 0) {
        FREE(Counted); // expect: data-race
        return;
    }
    USE(Counted->Value); // expect: data-race
}

/* Uses an object after its reference was given up, before the other thread gives up the last one. */
VOID Case_UsesAfterRelease(VOID)
{
    Counted = MakeObject(1);
    Counted->References = 2;
    RunBoth(ReleaseThenUse, ReleaseThenUse);
}

static volatile LONG LockWord;

static VOID CountUnderOwnLock(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    while (InterlockedCompareExchange(&LockWord, 1, 0) != 0) {
        Sleep(1);
    }
    Result += 1;
    InterlockedExchange(&LockWord, 0);
}

/* Two threads count under a lock that is made of interlocked operations. */
VOID Case_CountsUnderLockOfItsOwn(VOID)
{
    RunBoth(CountUnderOwnLock, CountUnderOwnLock);
}
