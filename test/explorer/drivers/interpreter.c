/* Carries out small programs: what each of its threads does is put into it before they start. What they leave is in a block of pool with its tag. */
#include <ntddk.h>

#define TAG 'rpnI'
#define THREADS 3
#define STEPS 8
#define CELLS 4

typedef enum _CODE { CodeNothing, CodeLock, CodeUnlock, CodeWrite, CodeAdd, CodeAddAtOnce, CodeSet, CodeWait, CodeSkipUnless, CodeQueue } CODE;

typedef struct _STEP {
    ULONG Code;
    ULONG Cell;
    LONG Value;
} STEP;

static STEP Programs[THREADS + 1][STEPS];
static KSPIN_LOCK Locks[CELLS];
static KEVENT Events[CELLS];
static KDPC Dpc;
static LONG *Cells;

static VOID Carry(STEP *Step)
{
    KIRQL Irqls[CELLS];
    ULONG Index;
    LONG Old;

    for (Index = 0; Index < STEPS; Index += 1) {
        ULONG Cell = Step[Index].Cell;
        LONG Value = Step[Index].Value;

        switch (Step[Index].Code) {
        case CodeLock:
            KeAcquireSpinLock(&Locks[Cell], &Irqls[Cell]);
            break;
        case CodeUnlock:
            KeReleaseSpinLock(&Locks[Cell], Irqls[Cell]);
            break;
        case CodeWrite:
            InterlockedExchange(&Cells[Cell], Value);
            break;
        case CodeAdd:
            Old = InterlockedCompareExchange(&Cells[Cell], 0, 0);
            InterlockedExchange(&Cells[Cell], Old + Value);
            break;
        case CodeAddAtOnce:
            InterlockedExchangeAdd(&Cells[Cell], Value);
            break;
        case CodeSet:
            KeSetEvent(&Events[Cell], 0, FALSE);
            break;
        case CodeWait:
            KeWaitForSingleObject(&Events[Cell], Executive, KernelMode, FALSE, NULL);
            break;
        case CodeSkipUnless:
            if (InterlockedCompareExchange(&Cells[Cell], 0, 0) != Value) {
                Index += 1;
            }
            break;
        case CodeQueue:
            KeInsertQueueDpc(&Dpc, NULL, NULL);
            break;
        default:
            break;
        }
    }
}

static VOID Deferred(PKDPC Self, PVOID Context, PVOID First, PVOID Second)
{
    UNREFERENCED_PARAMETER(Self);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    Carry(Programs[THREADS]);
}

__declspec(dllexport) ULONG Put(ULONG Thread, ULONG Index, ULONG Code, ULONG Cell, LONG Value)
{
    Programs[Thread][Index].Code = Code;
    Programs[Thread][Index].Cell = Cell;
    Programs[Thread][Index].Value = Value;
    return 0;
}

__declspec(dllexport) ULONG Carry0(VOID)
{
    Carry(Programs[0]);
    return 0;
}

__declspec(dllexport) ULONG Carry1(VOID)
{
    Carry(Programs[1]);
    return 0;
}

__declspec(dllexport) ULONG Carry2(VOID)
{
    Carry(Programs[2]);
    return 0;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ExFreePoolWithTag(Cells, TAG);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Index;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    Cells = (LONG *)ExAllocatePoolZero(NonPagedPoolNx, CELLS * sizeof(LONG), TAG);
    if (Cells == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (Index = 0; Index < CELLS; Index += 1) {
        KeInitializeSpinLock(&Locks[Index]);
        KeInitializeEvent(&Events[Index], SynchronizationEvent, FALSE);
    }
    KeInitializeDpc(&Dpc, Deferred, NULL);
    return STATUS_SUCCESS;
}
