/* threads: 2. Whoever drops the last reference frees the object: the broken one drops it, and reads the count for itself. */
#include "classic.h"

typedef struct _OBJECT {
    volatile LONG References;
} OBJECT, *POBJECT;

static POBJECT Object;

static VOID Setup(VOID)
{
    Object = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Object), 'tseT');
    if (Object != NULL) {
        Object->References = 2;
    }
}

static VOID Thread(ULONG Number)
{
    UNREFERENCED_PARAMETER(Number);
    if (Object == NULL) {
        return;
    }
    IF_RIGHT(if (InterlockedDecrement(&Object->References) == 0))
    IF_BROKEN(InterlockedDecrement(&Object->References); if (Object->References == 0))
    {
        ExFreePool(Object);
    }
}

static VOID Finish(VOID) {}
