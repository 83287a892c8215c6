/* Requests of applications: lengths that are believed, buffers of users that are not probed, IRPs that are complete. */
#include "device.h"

static NTSTATUS SumCounted(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PIOCTL_INPUT Input = Irp->AssociatedIrp.SystemBuffer;
    ULONG Index, Sum = 0;

    UNREFERENCED_PARAMETER(Location);
    for (Index = 0; Index < Input->LargeCount; Index += 1) {
        Sum += ((volatile ULONG *)Input)[Index]; // expect: out-of-bounds
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* Believes the count of elements that the input begins with. */
VOID Case_BelievesCount(VOID)
{
    Choose(METHOD_BUFFERED, SumCounted);
}

static NTSTATUS SumChecked(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PIOCTL_INPUT Input = Irp->AssociatedIrp.SystemBuffer;
    ULONG Index, Length = Location->Parameters.DeviceIoControl.InputBufferLength;

    if (Length < sizeof(*Input) || Input->LargeCount > Length / sizeof(ULONG)) {
        return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    for (Index = 0; Index < Input->LargeCount; Index += 1) {
        USE(((volatile ULONG *)Input)[Index]);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* Compares the count of elements with the length of the input. */
VOID Case_ChecksCount(VOID)
{
    Choose(METHOD_BUFFERED, SumChecked);
}

static NTSTATUS CopyWrapped(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PIOCTL_INPUT Input = Irp->AssociatedIrp.SystemBuffer;
    PULONG Copy;

    if (Input->WrappingCount * sizeof(ULONG) > Location->Parameters.DeviceIoControl.InputBufferLength) {
        return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    Copy = ALLOCATE(Input->WrappingCount * sizeof(ULONG));
    Copy[0] = 1;
    Copy[Input->WrappingCount & 7] = 1; // expect: out-of-bounds
    FREE(Copy);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* Compares the product of a count with the length of the input, and the product wraps. */
VOID Case_ChecksWrappedCount(VOID)
{
    Choose(METHOD_BUFFERED, CopyWrapped);
}

static NTSTATUS CopyNegative(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PIOCTL_INPUT Input = Irp->AssociatedIrp.SystemBuffer;
    UCHAR Local[32];

    UNREFERENCED_PARAMETER(Location);
    if (Input->NegativeCount < (LONG)sizeof(Local)) {
        RtlCopyMemory(Local, Input, Input->NegativeCount); // expect: out-of-bounds
    }
    USE(Local[0]);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* Finds a negative length small enough. */
VOID Case_CopiesNegativeLength(VOID)
{
    Choose(METHOD_BUFFERED, CopyNegative);
}

static NTSTATUS AnswerTooLong(PIRP Irp, PIO_STACK_LOCATION Location)
{
    UNREFERENCED_PARAMETER(Location);
    RtlZeroMemory(Irp->AssociatedIrp.SystemBuffer, SOME(24)); // expect: out-of-bounds
    return Complete(Irp, STATUS_SUCCESS, 16);
}

/* Writes an answer of fixed length without a look at the length of the output. */
VOID Case_AnswersBehindBuffer(VOID)
{
    Choose(METHOD_BUFFERED, AnswerTooLong);
}

static NTSTATUS AnswerWhatFits(PIRP Irp, PIO_STACK_LOCATION Location)
{
    ULONG Length = Location->Parameters.DeviceIoControl.OutputBufferLength;

    Length = min(Length, (ULONG)SOME(24));
    RtlZeroMemory(Irp->AssociatedIrp.SystemBuffer, Length);
    return Complete(Irp, STATUS_SUCCESS, Length);
}

/* Writes as much of an answer as the output has room for. */
VOID Case_AnswersWhatFits(VOID)
{
    Choose(METHOD_BUFFERED, AnswerWhatFits);
}

static NTSTATUS TouchIrp(PIRP Irp, PIO_STACK_LOCATION Location)
{
    UNREFERENCED_PARAMETER(Location);
    Complete(Irp, STATUS_SUCCESS, 0);
    return Irp->IoStatus.Status; // expect: irp-touched-after-completion
}

/* Returns the status out of an IRP that is complete. */
VOID Case_ReturnsStatusOfCompletedIrp(VOID)
{
    Choose(METHOD_BUFFERED, TouchIrp);
}

static NTSTATUS WriteIrp(PIRP Irp, PIO_STACK_LOCATION Location)
{
    UNREFERENCED_PARAMETER(Location);
    Complete(Irp, STATUS_SUCCESS, 0);
    Irp->IoStatus.Information = 4; // expect: irp-touched-after-completion
    return STATUS_SUCCESS;
}

/* Writes into an IRP that is complete. */
VOID Case_WritesCompletedIrp(VOID)
{
    Choose(METHOD_OUT_DIRECT, WriteIrp);
}

static NTSTATUS ReadLocation(PIRP Irp, PIO_STACK_LOCATION Location)
{
    Complete(Irp, STATUS_SUCCESS, 0);
    USE(Location->Parameters.DeviceIoControl.OutputBufferLength); // expect: irp-touched-after-completion
    return STATUS_SUCCESS;
}

/* Reads the stack location of an IRP that is complete. */
VOID Case_ReadsLocationOfCompletedIrp(VOID)
{
    Choose(METHOD_BUFFERED, ReadLocation);
}

static NTSTATUS WriteBuffer(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PULONG Output = Irp->AssociatedIrp.SystemBuffer;

    UNREFERENCED_PARAMETER(Location);
    Complete(Irp, STATUS_SUCCESS, sizeof(*Output));
    *Output = 7; // expect: irp-touched-after-completion
    return STATUS_SUCCESS;
}

/* Writes the answer into the system buffer of an IRP that is complete. */
VOID Case_AnswersAfterCompletion(VOID)
{
    Choose(METHOD_BUFFERED, WriteBuffer);
}

static NTSTATUS ReadThenComplete(PIRP Irp, PIO_STACK_LOCATION Location)
{
    ULONG Length = Location->Parameters.DeviceIoControl.OutputBufferLength;

    Complete(Irp, STATUS_SUCCESS, 0);
    USE(Length);
    return STATUS_SUCCESS;
}

/* Copies what it needs out of an IRP before it is completed. */
VOID Case_ReadsThenCompletes(VOID)
{
    Choose(METHOD_BUFFERED, ReadThenComplete);
}

static NTSTATUS FillDirect(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PUCHAR Output = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);

    UNREFERENCED_PARAMETER(Location);
    Output[SOME(16)] = 1; // expect: out-of-bounds
    return Complete(Irp, STATUS_SUCCESS, 16);
}

/* Writes behind the bytes that the MDL of a request describes. */
VOID Case_WritesBehindMdl(VOID)
{
    Choose(METHOD_OUT_DIRECT, FillDirect);
}

static NTSTATUS FillDirectWell(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PUCHAR Output = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);

    UNREFERENCED_PARAMETER(Location);
    RtlFillMemory(Output, MmGetMdlByteCount(Irp->MdlAddress), 1);
    return Complete(Irp, STATUS_SUCCESS, MmGetMdlByteCount(Irp->MdlAddress));
}

/* Writes the bytes that the MDL of a request describes. */
VOID Case_WritesBytesOfMdl(VOID)
{
    Choose(METHOD_OUT_DIRECT, FillDirectWell);
}

static NTSTATUS ReadUser(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PIOCTL_INPUT Input = Location->Parameters.DeviceIoControl.Type3InputBuffer;

    USE(Input->SmallCount); // expect: out-of-bounds
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* Reads the user's buffer without probing it. */
VOID Case_ReadsUserBufferWithoutProbe(VOID)
{
    Choose(METHOD_NEITHER, ReadUser);
}

static NTSTATUS ReadProbed(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PIOCTL_INPUT Input = Location->Parameters.DeviceIoControl.Type3InputBuffer;

    ProbeForRead(Input, Location->Parameters.DeviceIoControl.InputBufferLength, sizeof(ULONG));
    USE(Input->SmallCount);
    ProbeForWrite(Irp->UserBuffer, Location->Parameters.DeviceIoControl.OutputBufferLength, sizeof(ULONG));
    *(PULONG)Irp->UserBuffer = 1;
    return Complete(Irp, STATUS_SUCCESS, sizeof(ULONG));
}

/* Probes the user's buffers for what is done with them. */
VOID Case_ProbesUserBuffers(VOID)
{
    Choose(METHOD_NEITHER, ReadProbed);
}

static NTSTATUS WriteProbedForRead(PIRP Irp, PIO_STACK_LOCATION Location)
{
    ProbeForRead(Irp->UserBuffer, Location->Parameters.DeviceIoControl.OutputBufferLength, sizeof(ULONG));
    *(PULONG)Irp->UserBuffer = 1; // expect: out-of-bounds
    return Complete(Irp, STATUS_SUCCESS, sizeof(ULONG));
}

/* Probes the user's buffer for reading, and writes it. */
VOID Case_WritesUserBufferProbedForRead(VOID)
{
    Choose(METHOD_NEITHER, WriteProbedForRead);
}

static NTSTATUS ReadBehindProbe(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PUCHAR Input = Location->Parameters.DeviceIoControl.Type3InputBuffer;

    ProbeForRead(Input, sizeof(ULONG), 1);
    USE(Input[SOME(20)]); // expect: out-of-bounds
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* Reads more of the user's memory than was probed. */
VOID Case_ReadsBehindProbe(VOID)
{
    Choose(METHOD_NEITHER, ReadBehindProbe);
}
