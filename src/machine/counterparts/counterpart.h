/* What the stock counterparts share: the tool's own imports, and small helpers. */
#include <ndis.h>

/* A number below Count; What names the choice. 0 is the simplest answer. */
ULONG NdislabChoose(ULONG Count, const char *What);

#define COUNTERPART_TAG 'pCdN'

/* Runs Routine(Context) on a worker thread. */
typedef struct _LATER {
    WORK_QUEUE_ITEM Item;
    VOID (*Routine)(PVOID Context);
    PVOID Context;
} LATER, *PLATER;

static VOID RunLater(PVOID Context)
{
    LATER Later = *(PLATER)Context;

    NdisFreeMemory(Context, 0, 0);
    Later.Routine(Later.Context);
}

static VOID DoLater(NDIS_HANDLE Handle, VOID (*Routine)(PVOID Context), PVOID Context)
{
    PLATER Later = (PLATER)NdisAllocateMemoryWithTagPriority(Handle, sizeof(*Later), COUNTERPART_TAG, NormalPoolPriority);

    Later->Routine = Routine;
    Later->Context = Context;
    ExInitializeWorkItem(&Later->Item, RunLater, Later);
    ExQueueWorkItem(&Later->Item, DelayedWorkQueue);
}
