/* threads: 3. An object is torn down when nobody uses it: the broken one uses it though it was not given protection. */
#include "classic.h"

static EX_RUNDOWN_REF Rundown;
static volatile LONG IsGone;

static VOID Setup(VOID)
{
    ExInitializeRundownProtection(&Rundown);
}

static VOID Use(VOID)
{
    BOOLEAN IsProtected = ExAcquireRundownProtection(&Rundown);

    IF_RIGHT(if (!IsProtected) {
        return;
    })
    MUST(InterlockedCompareExchange(&IsGone, 0, 0) == 0);
    if (IsProtected) {
        ExReleaseRundownProtection(&Rundown);
    }
}

static VOID TearDown(VOID)
{
    ExWaitForRundownProtectionRelease(&Rundown);
    InterlockedExchange(&IsGone, TRUE);
}

static VOID Thread(ULONG Number)
{
    if (Number == 0) {
        TearDown();
    } else {
        Use();
    }
}

static VOID Finish(VOID)
{
    MUST(IsGone);
}
