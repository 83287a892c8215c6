/* OID requests of a miniport: lengths that are believed, and requests that are complete. */
#include "miniport.h"

static VOID Answer(NDIS_REQUEST_TYPE Type, NDIS_STATUS (*Function)(PADAPTER Adapter, PNDIS_OID_REQUEST Request))
{
    OfType = Type;
    OnRequest = Function;
}

static const UCHAR Name[] = "an adapter of the corpus";

static NDIS_STATUS AnswerLong(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    UNREFERENCED_PARAMETER(Adapter);
    NdisMoveMemory(Request->DATA.QUERY_INFORMATION.InformationBuffer, Name, sizeof(Name)); // expect: out-of-bounds
    Request->DATA.QUERY_INFORMATION.BytesWritten = Request->DATA.QUERY_INFORMATION.InformationBufferLength;
    return NDIS_STATUS_SUCCESS;
}

/* Answers a query without a look at the length of its buffer. */
VOID Case_AnswersBehindInformationBuffer(VOID)
{
    Answer(NdisRequestQueryInformation, AnswerLong);
}

static NDIS_STATUS AnswerIfFits(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    UNREFERENCED_PARAMETER(Adapter);
    if (Request->DATA.QUERY_INFORMATION.InformationBufferLength < sizeof(Name)) {
        Request->DATA.QUERY_INFORMATION.BytesNeeded = sizeof(Name);
        return NDIS_STATUS_BUFFER_TOO_SHORT;
    }
    NdisMoveMemory(Request->DATA.QUERY_INFORMATION.InformationBuffer, Name, sizeof(Name));
    Request->DATA.QUERY_INFORMATION.BytesWritten = sizeof(Name);
    return NDIS_STATUS_SUCCESS;
}

/* Answers a query whose buffer is too short with the length that it should have. */
VOID Case_AsksForLongerBuffer(VOID)
{
    Answer(NdisRequestQueryInformation, AnswerIfFits);
}

static NDIS_STATUS SetWrapped(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    PULONG Words = Request->DATA.SET_INFORMATION.InformationBuffer;
    ULONG Index;

    if (Words[0] * sizeof(ULONG) > Request->DATA.SET_INFORMATION.InformationBufferLength) {
        return NDIS_STATUS_INVALID_LENGTH;
    }
    for (Index = 1; Index <= Words[0]; Index += 1) {
        Adapter->Sent += Words[Index]; // expect: out-of-bounds
    }
    Request->DATA.SET_INFORMATION.BytesRead = 4 * sizeof(ULONG);
    return NDIS_STATUS_SUCCESS;
}

/* Compares the product of a count in what is set with the length of that, and the product wraps. */
VOID Case_SetsWrappedCount(VOID)
{
    Answer(NdisRequestSetInformation, SetWrapped);
}

static NDIS_STATUS SetChecked(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    PULONG Words = Request->DATA.SET_INFORMATION.InformationBuffer;
    ULONG Length = Request->DATA.SET_INFORMATION.InformationBufferLength;

    if (Length < sizeof(ULONG) || Words[0] > Length / sizeof(ULONG) - 1) {
        Request->DATA.SET_INFORMATION.BytesNeeded = 0;
        return NDIS_STATUS_INVALID_LENGTH;
    }
    Adapter->Sent = Words[Words[0]];
    Request->DATA.SET_INFORMATION.BytesRead = Length;
    return NDIS_STATUS_SUCCESS;
}

/* Compares a count in what is set with the number of elements that it has. */
VOID Case_SetsCheckedCount(VOID)
{
    Answer(NdisRequestSetInformation, SetChecked);
}

static PNDIS_OID_REQUEST Pended;
static KDPC Dpc;

static VOID CompleteInDpc(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    NdisMOidRequestComplete(((PADAPTER)Context)->Handle, Pended, NDIS_STATUS_NOT_SUPPORTED);
    Pended->DATA.QUERY_INFORMATION.BytesWritten = 0; // expect: use-after-free
}

static NDIS_STATUS PendAndTouch(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    Pended = Request;
    KeInitializeDpc(&Dpc, CompleteInDpc, Adapter);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    return NDIS_STATUS_PENDING;
}

/* Writes into a request after it completed it. */
VOID Case_WritesCompletedRequest(VOID)
{
    Answer(NdisRequestQueryInformation, PendAndTouch);
}

static VOID CompleteWellInDpc(PKDPC TheDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(TheDpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Pended->DATA.QUERY_INFORMATION.BytesWritten = 0;
    NdisMOidRequestComplete(((PADAPTER)Context)->Handle, Pended, NDIS_STATUS_NOT_SUPPORTED);
}

static NDIS_STATUS Pend(PADAPTER Adapter, PNDIS_OID_REQUEST Request)
{
    Pended = Request;
    KeInitializeDpc(&Dpc, CompleteWellInDpc, Adapter);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    return NDIS_STATUS_PENDING;
}

/* Writes into a request before it completes it. */
VOID Case_WritesPendingRequest(VOID)
{
    Answer(NdisRequestQueryInformation, Pend);
}
