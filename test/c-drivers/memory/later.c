/* What runs later, on memory that is gone by then: work items, timers, DPCs, threads, and entries of lookaside lists. */
#include "driver.h"

typedef struct _JOB {
    WORK_QUEUE_ITEM Item;
    KTIMER Timer;
    KDPC Dpc;
    KEVENT Done;
    ULONG Rounds;
} JOB, *PJOB;

static LARGE_INTEGER Soon = {{(ULONG)-100000, -1}};

static PJOB MakeJob(VOID)
{
    PJOB Job = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Job), TAG);

    KeInitializeEvent(&Job->Done, NotificationEvent, FALSE);
    return Job;
}

static VOID Sleep(VOID)
{
    KeDelayExecutionThread(KernelMode, FALSE, &Soon);
}

static VOID Work(PVOID Context)
{
    PJOB Job = Context;

    Job->Rounds += 1; // expect: use-after-free
    KeSetEvent(&Job->Done, IO_NO_INCREMENT, FALSE);
}

/* Frees what a work item works on, while the item, which lies elsewhere, is queued. */
VOID Case_FreesContextOfWorkItem(VOID)
{
    static WORK_QUEUE_ITEM Item;
    PJOB Job = MakeJob();

    ExInitializeWorkItem(&Item, Work, Job);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    FREE(Job);
}

static VOID DoNothing(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

/* Frees the block that a queued work item lies in, though its function uses nothing of it. */
VOID Case_FreesQueuedWorkItem(VOID)
{
    PJOB Job = MakeJob();

    ExInitializeWorkItem(&Job->Item, DoNothing, NULL);
    ExQueueWorkItem(&Job->Item, DelayedWorkQueue);
    FREE(Job); // expect: use-after-free
}

static VOID WorkWell(PVOID Context)
{
    PJOB Job = Context;

    Job->Rounds += 1;
    KeSetEvent(&Job->Done, IO_NO_INCREMENT, FALSE);
}

/* Waits for the work item before the block is freed. */
VOID Case_WaitsForWorkItem(VOID)
{
    PJOB Job = MakeJob();

    ExInitializeWorkItem(&Job->Item, WorkWell, Job);
    ExQueueWorkItem(&Job->Item, DelayedWorkQueue);
    KeWaitForSingleObject(&Job->Done, Executive, KernelMode, FALSE, NULL);
    FREE(Job);
}

static VOID WorkAndFree(PVOID Context)
{
    PJOB Job = Context;

    Job->Rounds += 1;
    FREE(Job);
}

/* Has the work item free its own block, which nobody needs any more when its function runs. */
VOID Case_WorkItemFreesItself(VOID)
{
    PJOB Job = MakeJob();

    ExInitializeWorkItem(&Job->Item, WorkAndFree, Job);
    ExQueueWorkItem(&Job->Item, DelayedWorkQueue);
}

/* Uses the block when the work item may have freed it. */
VOID Case_UsesBlockThatWorkItemFrees(VOID)
{
    PJOB Job = MakeJob();

    ExInitializeWorkItem(&Job->Item, WorkAndFree, Job);
    ExQueueWorkItem(&Job->Item, DelayedWorkQueue);
    Sleep();
    Job->Rounds += 1; // expect: use-after-free
}

static VOID OnTimer(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    ((PJOB)Context)->Rounds += 1;
}

/* Frees the block of a timer that is set. */
VOID Case_FreesTimerThatIsSet(VOID)
{
    PJOB Job = MakeJob();

    KeInitializeTimer(&Job->Timer);
    KeInitializeDpc(&Job->Dpc, OnTimer, Job);
    KeSetTimer(&Job->Timer, Soon, &Job->Dpc);
    FREE(Job); // expect: use-after-free
}

/* Cancels the timer before its block is freed. */
VOID Case_CancelsTimerThenFrees(VOID)
{
    PJOB Job = MakeJob();

    KeInitializeTimer(&Job->Timer);
    KeInitializeDpc(&Job->Dpc, OnTimer, Job);
    KeSetTimer(&Job->Timer, Soon, &Job->Dpc);
    if (!KeCancelTimer(&Job->Timer)) {
        KeFlushQueuedDpcs();
    }
    FREE(Job);
}

static VOID OnOtherTimer(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    ((PJOB)Context)->Rounds += 1; // expect: use-after-free
}

/* Frees what the DPC of a timer, which lies elsewhere, works on. */
VOID Case_FreesContextOfTimer(VOID)
{
    static KTIMER Timer;
    static KDPC Dpc;
    PJOB Job = MakeJob();

    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, OnOtherTimer, Job);
    KeSetTimer(&Timer, Soon, &Dpc);
    FREE(Job);
    Sleep();
    Sleep();
}

static VOID SetTimerOnStack(PKDPC Dpc)
{
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, Soon, Dpc); // expect: use-after-free
}

/* Calls a function that leaves a timer on its stack. */
VOID Case_LeavesTimerOnStack(VOID)
{
    static KDPC Dpc;
    static JOB Job;

    KeInitializeDpc(&Dpc, OnTimer, &Job);
    SetTimerOnStack(&Dpc);
    Sleep();
    Sleep();
}

static VOID ThreadStart(PVOID Context)
{
    PJOB Job = Context;

    Sleep();
    Job->Rounds += 1; // expect: use-after-free
}

/* Frees what a thread works on without waiting for it. */
VOID Case_FreesContextOfThread(VOID)
{
    PJOB Job = MakeJob();
    HANDLE Thread;

    PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, ThreadStart, Job);
    ZwClose(Thread);
    FREE(Job);
    Sleep();
    Sleep();
}

static VOID ThreadWork(PVOID Context)
{
    Sleep();
    ((PJOB)Context)->Rounds += 1;
}

/* Waits for a thread before what it works on is freed. */
VOID Case_WaitsForThread(VOID)
{
    PJOB Job = MakeJob();
    HANDLE Thread;

    PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, ThreadWork, Job);
    ZwWaitForSingleObject(Thread, FALSE, NULL);
    ZwClose(Thread);
    FREE(Job);
}

/* Uses an entry that was handed back to its lookaside list. */
VOID Case_UsesEntryHandedBack(VOID)
{
    static NPAGED_LOOKASIDE_LIST List;
    PJOB Job;

    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, sizeof(*Job), TAG, 0);
    Job = ExAllocateFromNPagedLookasideList(&List);
    ExFreeToNPagedLookasideList(&List, Job);
    Job->Rounds = 1; // expect: use-after-free
    ExDeleteNPagedLookasideList(&List);
}

/* Writes behind an entry of a lookaside list that is shorter than what it is taken for. */
VOID Case_WritesBehindEntry(VOID)
{
    static LOOKASIDE_LIST_EX List;
    PJOB Job;

    ExInitializeLookasideListEx(&List, NULL, NULL, NonPagedPoolNx, 0, sizeof(WORK_QUEUE_ITEM), TAG, 0);
    Job = ExAllocateFromLookasideListEx(&List);
    Job->Rounds = 1; // expect: out-of-bounds
    ExFreeToLookasideListEx(&List, Job);
    ExDeleteLookasideListEx(&List);
}

/* Takes the same entry again and again. */
VOID Case_TakesEntryAgain(VOID)
{
    static LOOKASIDE_LIST_EX List;
    PJOB Job;
    ULONG Round;

    ExInitializeLookasideListEx(&List, NULL, NULL, NonPagedPoolNx, 0, sizeof(*Job), TAG, 0);
    for (Round = 0; Round < 5; Round += 1) {
        Job = ExAllocateFromLookasideListEx(&List);
        Job->Rounds = Round;
        ExFreeToLookasideListEx(&List, Job);
    }
    ExDeleteLookasideListEx(&List);
}
