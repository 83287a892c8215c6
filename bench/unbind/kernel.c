/* The unbind measure without NDIS: the same counting of sends, completions by DPC and waiting, on locks, DPCs and an event alone. */
#include <ntddk.h>

#ifndef PACKETS
#define PACKETS 2
#endif

#define TAG 'rekE'

typedef struct _SENT {
    KDPC Dpc;
} SENT;

static KSPIN_LOCK Lock; /* protects the members below */
static BOOLEAN IsOpen = TRUE;
static LONG Sends;
static KEVENT NoSends;

static VOID Complete(PKDPC Dpc, PVOID Context, PVOID First, PVOID Second)
{
    BOOLEAN IsLast;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    ExFreePoolWithTag(Context, TAG);
    KeAcquireSpinLockAtDpcLevel(&Lock);
    Sends -= 1;
    IsLast = Sends == 0 && !IsOpen;
    KeReleaseSpinLockFromDpcLevel(&Lock);
    if (IsLast) {
        KeSetEvent(&NoSends, 0, FALSE);
    }
}

/* A sender. */
__declspec(dllexport) ULONG Exercise(VOID)
{
    ULONG Index;

    for (Index = 0; Index < PACKETS; Index += 1) {
        SENT *Sent;
        BOOLEAN MaySend;
        KIRQL Irql;

        KeAcquireSpinLock(&Lock, &Irql);
        MaySend = IsOpen;
        if (MaySend) {
            Sends += 1;
        }
        KeReleaseSpinLock(&Lock, Irql);
        if (!MaySend) {
            return Index;
        }
        Sent = (SENT *)ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Sent), TAG);
        KeInitializeDpc(&Sent->Dpc, Complete, Sent);
        KeInsertQueueDpc(&Sent->Dpc, NULL, NULL);
    }
    return Index;
}

__declspec(dllexport) ULONG UnbindItself(VOID)
{
    BOOLEAN MustWait;
    KIRQL Irql;

    KeAcquireSpinLock(&Lock, &Irql);
    IsOpen = FALSE;
    MustWait = Sends > 0;
    KeReleaseSpinLock(&Lock, Irql);
    if (MustWait) {
        KeWaitForSingleObject(&NoSends, Executive, KernelMode, FALSE, NULL);
    }
    return (ULONG)Sends;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&NoSends, NotificationEvent, FALSE);
    return STATUS_SUCCESS;
}
