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
    LONG Left;

    UNREFERENCED_PARAMETER(Number);
    if (Object == NULL) {
        return;
    }
    Left = InterlockedDecrement(&Object->References);
    IF_BROKEN(Left = Object->References;)
    if (Left == 0) {
        ExFreePool(Object);
    }
}

static VOID Finish(VOID) {}
