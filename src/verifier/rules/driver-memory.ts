/** Rules of memory that NDIS allocates for a driver, and of what belongs to an object that the driver made. */
import { BufferPool } from "../../ndis/objects.ts";
import { IoWorkItem, TimerObject } from "../../ndis/resource-objects.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const ROWS = 256;
/** From the address of a generic object to 1. */
const generic = shadowTable("generic objects", 16);
/** From a thread to the generic object for which it is allocating. */
const allocating = shadowTable("generic objects that something is being allocated for", 32);
/** From a block of memory to the generic object with which it was allocated. */
const ownedBlocks = shadowTable("blocks of generic objects", ROWS);

/** Routines that allocate memory with a handle. */
const ALLOCATES = ["NdisAllocateMemoryWithTagPriority", "NdisAllocateMdl"] as const;
const FREES = ["NdisFreeMemory", "NdisFreeMdl"] as const;

export const driverMemoryRules = ruleSet(
  ["memory-tag-required", "memory-generic-object-order", "if-deregister-order"],
  [
    on("call NdisFreeMemory", ({ report }, { args: [, , flags = 0] }) => {
      if (flags === 0) return;
      report({
        rule: "memory-tag-required",
        message: `NdisFreeMemory was called with the flags 0x${flags.toString(16)}. Memory of NdisAllocateMemoryWithTagPriority is freed with none.`,
      });
    }),
    on("return NdisAllocateGenericObject", ({ shadow }, { result }) => {
      if (result !== 0) shadow.set(generic, result, 1);
    }),
    ...ALLOCATES.flatMap((name) => [
      on(`call ${name}`, ({ k, shadow }, { args: [handle = 0] }) => {
        if (handle !== 0 && shadow.get(generic, handle) !== 0) shadow.set(allocating, k.current.address, handle);
      }),
      on(`return ${name}`, ({ k, shadow }, { result }) => {
        const owner = shadow.get(allocating, k.current.address);
        if (owner === 0) return;
        shadow.set(allocating, k.current.address, 0);
        // An object with more blocks than can be remembered is judged by the first.
        if (result !== 0 && shadow.entries(ownedBlocks).length < ROWS / 2) shadow.set(ownedBlocks, result, owner);
      }),
    ]),
    ...FREES.map((name) =>
      on(`call ${name}`, ({ shadow }, { args: [address = 0] }) => {
        if (address !== 0) shadow.set(ownedBlocks, address, 0);
      }),
    ),
    on("call NdisFreeGenericObject", ({ k, shadow, report }, { args: [address = 0] }) => {
      if (address === 0 || shadow.get(generic, address) === 0) return;
      shadow.set(generic, address, 0);
      const blocks = shadow.entries(ownedBlocks).filter(([, owner]) => owner === address);
      for (const [block] of blocks) shadow.set(ownedBlocks, block, 0);
      const objects = [...k.objects.all(BufferPool), ...k.objects.all(IoWorkItem), ...k.objects.all(TimerObject)];
      const left = blocks.length + objects.filter(({ owner }) => owner === address).length;
      if (left === 0) return;
      report({
        rule: "memory-generic-object-order",
        message: `NdisFreeGenericObject was called while ${left} resource(s) that were allocated with the object as their handle are not freed.`,
      });
    }),
    on("note interface provider released with interfaces", ({ report }, { value: count }) => {
      report({
        rule: "if-deregister-order",
        message: `NdisIfDeregisterProvider was called while ${count} interface(s) of the provider are registered.`,
      });
    }),
  ],
  [generic, allocating, ownedBlocks],
);
