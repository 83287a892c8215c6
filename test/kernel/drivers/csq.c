/* Reads are kept in a cancel-safe queue; reads for two bytes have a context, through which they are taken out again. */
#include "devices.h"

static PDEVICE_OBJECT Device;
static IO_CSQ Queue;
static LIST_ENTRY List;
static KSPIN_LOCK Lock;
static LONG Queued, Held;
static IO_CSQ_IRP_CONTEXT Context;
/* What CsqInsertIrpEx answers, and what it was given. */
static NTSTATUS InsertAnswer;
static PVOID InsertContext;
static BOOLEAN IsExtended;

static void Insert(PIO_CSQ Csq, PIRP Irp)
{
    EXPECT(Csq == &Queue && Held == 1 && KeGetCurrentIrql() == DISPATCH_LEVEL);
    InsertTailList(&List, &Irp->Tail.Overlay.ListEntry);
    Queued += 1;
}

static NTSTATUS InsertEx(PIO_CSQ Csq, PIRP Irp, PVOID TheContext)
{
    InsertContext = TheContext;
    if (NT_SUCCESS(InsertAnswer)) {
        Insert(Csq, Irp);
    }
    return InsertAnswer;
}

static void Remove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    EXPECT(Held == 1);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    Queued -= 1;
}

/* The next one behind Irp that is of the file, if one is asked for. */
static PIRP Peek(PIO_CSQ Csq, PIRP Irp, PVOID File)
{
    PLIST_ENTRY entry = Irp == NULL ? List.Flink : Irp->Tail.Overlay.ListEntry.Flink;

    UNREFERENCED_PARAMETER(Csq);
    EXPECT(Held == 1);
    for (; entry != &List; entry = entry->Flink) {
        PIRP found = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        if (File == NULL || IoGetCurrentIrpStackLocation(found)->FileObject == File) {
            return found;
        }
    }
    return NULL;
}

static void Acquire(PIO_CSQ Csq, PKIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeAcquireSpinLock(&Lock, Irql);
    Held += 1;
}

static void Release(PIO_CSQ Csq, KIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    Held -= 1;
    KeReleaseSpinLock(&Lock, Irql);
}

static void Cancelled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
    Complete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Read(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    NTSTATUS status;

    UNREFERENCED_PARAMETER(TheDevice);
    if (!IsExtended) {
        IoCsqInsertIrp(&Queue, Irp, IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length == 2 ? &Context : NULL);
        return STATUS_PENDING;
    }
    status = IoCsqInsertIrpEx(&Queue, Irp, NULL, &Device);
    EXPECT(InsertContext == &Device);
    return NT_SUCCESS(status) ? STATUS_PENDING : Complete(Irp, status, 0);
}

static NTSTATUS Cleanup(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    PIRP read;

    UNREFERENCED_PARAMETER(TheDevice);
    while ((read = IoCsqRemoveNextIrp(&Queue, IoGetCurrentIrpStackLocation(Irp)->FileObject)) != NULL) {
        Complete(read, STATUS_CANCELLED, 0);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Succeed(PDEVICE_OBJECT TheDevice, PIRP Irp)
{
    UNREFERENCED_PARAMETER(TheDevice);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

ULONG CompleteNext(void)
{
    PIRP irp = IoCsqRemoveNextIrp(&Queue, NULL);

    CHECK(irp == NULL || irp->CancelRoutine == NULL);
    if (irp != NULL) {
        Complete(irp, STATUS_SUCCESS, 0);
    }
    return 0;
}

/* Takes the read that has the context, unless it is gone. */
ULONG CompleteThatOne(void)
{
    PIRP irp = IoCsqRemoveIrp(&Queue, &Context);

    if (irp != NULL) {
        Complete(irp, STATUS_SUCCESS, 0);
    }
    return 0;
}

ULONG IsEmpty(void)
{
    CHECK(Queued == 0 && Held == 0 && IsListEmpty(&List));
    CHECK(IoCsqRemoveNextIrp(&Queue, NULL) == NULL);
    return 0;
}

ULONG Has(LONG Count)
{
    CHECK(Queued == Count);
    return 0;
}

ULONG Extend(NTSTATUS Answer)
{
    InsertAnswer = Answer;
    IsExtended = TRUE;
    return IoCsqInitializeEx(&Queue, InsertEx, Remove, Peek, Acquire, Release, Cancelled);
}

static void Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    RemoveDevice(L"\\DosDevices\\Queue", Device);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    TheDriver = DriverObject;
    InitializeListHead(&List);
    KeInitializeSpinLock(&Lock);
    IoCsqInitialize(&Queue, Insert, Remove, Peek, Acquire, Release, Cancelled);
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_READ] = Read;
    return MakeDevice(L"\\Device\\Queue", L"\\DosDevices\\Queue", 0, 0, FALSE, &Device);
}
