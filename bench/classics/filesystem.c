/* threads: 2. Files get a block of the disk when they are first written: the broken one looks for a free block without the lock of the block. */
#include "classic.h"

#define BLOCKS 2
#define FILES 2
#define NO_BLOCK 0

static FAST_MUTEX FileLocks[FILES];
static FAST_MUTEX BlockLocks[BLOCKS];
static ULONG BlockOfFile[FILES];
static BOOLEAN IsBusy[BLOCKS];

static VOID Setup(VOID)
{
    ULONG Index;

    for (Index = 0; Index < FILES; Index += 1) {
        ExInitializeFastMutex(&FileLocks[Index]);
    }
    for (Index = 0; Index < BLOCKS; Index += 1) {
        ExInitializeFastMutex(&BlockLocks[Index]);
    }
}

static ULONG TakeBlock(VOID)
{
    ULONG Block;
    BOOLEAN IsFree;

    for (Block = 0; Block < BLOCKS; Block += 1) {
        IF_BROKEN(IsFree = !IsBusy[Block];)
        ExAcquireFastMutex(&BlockLocks[Block]);
        IF_RIGHT(IsFree = !IsBusy[Block];)
        if (IsFree) {
            IsBusy[Block] = TRUE;
        }
        ExReleaseFastMutex(&BlockLocks[Block]);
        if (IsFree) {
            return Block + 1;
        }
    }
    return NO_BLOCK;
}

static VOID Thread(ULONG Number)
{
    ExAcquireFastMutex(&FileLocks[Number]);
    if (BlockOfFile[Number] == NO_BLOCK) {
        BlockOfFile[Number] = TakeBlock();
    }
    ExReleaseFastMutex(&FileLocks[Number]);
}

static VOID Finish(VOID)
{
    MUST(BlockOfFile[0] != BlockOfFile[1]);
    MUST(BlockOfFile[0] != NO_BLOCK && BlockOfFile[1] != NO_BLOCK);
}
