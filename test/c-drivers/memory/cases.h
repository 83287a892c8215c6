/*
 * What the cases share.
 *
 * A case is a function Case_<Name> with one sentence before it. Where it is wrong, a line ends in a comment that names the rule: a run of the
 * case alone has to find that rule on that line, and nothing else. A case without such a line is right, and nothing may be found. Helpers
 * belong to the first case after them.
 */
#pragma once
#include <ndis.h>
#include <ntstrsafe.h>

#define TAG 'sesC'
#define ALLOCATE(bytes) ExAllocatePoolWithTag(NonPagedPoolNx, (bytes), TAG)
#define FREE(block) ExFreePoolWithTag((block), TAG)

/* A number that the compiler cannot know. */
static volatile LONG One = 1;
#define SOME(number) ((number) - 1 + One)

/* Reads a value, and does nothing with it that anybody else could see. */
#define USE(value)                              \
    do {                                        \
        volatile ULONG used = (ULONG)(value);   \
        (void)used;                             \
    } while (0)
