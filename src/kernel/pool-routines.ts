/** The routines by which drivers allocate pool, and give it back. */
import { constant } from "../contract/index.ts";
import { raise } from "./exceptions.ts";
import type { Kernel } from "./kernel.ts";
import { allocate, allocateUnwritten, free } from "./pool.ts";
import { leaf } from "./routine.ts";

const RAISE = constant("POOL_RAISE_IF_ALLOCATION_FAILURE");
const FAIL = constant("POOL_QUOTA_FAIL_INSTEAD_OF_RAISE");
const INSUFFICIENT_RESOURCES = constant("STATUS_INSUFFICIENT_RESOURCES");
const INVALID_PARAMETER = constant("STATUS_INVALID_PARAMETER");
const POOL_FLAG_UNINITIALIZED = 0x2;
const POOL_FLAG_RAISE_ON_FAILURE = 0x20;
/** Undocumented: the tag of an allocation that names none; these letters are what memory then shows: None. */
const NO_TAG = 0x656e_6f4e;

/** Pool by its POOL_TYPE: without memory the answer is null, or an exception, which nobody can catch here, for who asked for that. */
function typed(k: Kernel, routine: string, from: typeof allocate, raises: boolean, bytes: number, tag: number): number {
  const address = raises ? from(k, bytes, tag, k.driverOfThread(k.current)) : from(k, bytes, tag);
  return address === 0 && raises ? raise(k, routine, INSUFFICIENT_RESOURCES) : address;
}

/** The routines that clear memory, and those that do not. */
const typedRoutines = (
  [
    ["ExAllocatePoolWithTag", allocateUnwritten],
    ["ExAllocatePoolUninitialized", allocateUnwritten],
    ["ExAllocatePoolWithTagPriority", allocateUnwritten],
    ["ExAllocatePoolZero", allocate],
    ["ExAllocatePoolPriorityZero", allocate],
  ] as const
).map(([name, from]) => leaf(name, (k, type, bytes, tag) => typed(k, name, from, (type & RAISE) !== 0, bytes, tag)));

export const poolRoutines = [
  ...typedRoutines,
  leaf("ExAllocatePool", (k, type, bytes) => typed(k, "ExAllocatePool", allocateUnwritten, (type & RAISE) !== 0, bytes, NO_TAG)),
  leaf("ExAllocatePoolQuotaZero", (k, type, bytes, tag) =>
    typed(k, "ExAllocatePoolQuotaZero", allocate, (type & FAIL) === 0, bytes, tag),
  ),
  leaf("ExAllocatePool2_split", (k, flagsLow, _flagsHigh, bytes, tag) => {
    const raises = (flagsLow & POOL_FLAG_RAISE_ON_FAILURE) !== 0;
    const from = (flagsLow & POOL_FLAG_UNINITIALIZED) !== 0 ? allocateUnwritten : allocate;
    if (tag !== 0) return typed(k, "ExAllocatePool2", from, raises, bytes, tag);
    return raises ? raise(k, "ExAllocatePool2", INVALID_PARAMETER) : 0;
  }),
  leaf("ExFreePoolWithTag", (k, address) => free(k, address)),
  leaf("ExFreePool", (k, address) => free(k, address)),
];
