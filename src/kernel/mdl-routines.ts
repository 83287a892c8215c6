/**
 * What drivers do with MDLs: build, lock, map. What Driver Verifier would stop the system for is a bug check here, with its numbers.
 *
 * Pages: nf-wdm-ioallocatemdl, nf-wdm-iofreemdl, nf-wdm-iobuildpartialmdl, nf-wdm-mmbuildmdlfornonpagedpool, nf-wdm-mmprobeandlockpages,
 * nf-wdm-mmunlockpages, nf-wdm-mmmaplockedpagesspecifycache, nf-wdm-mmunmaplockedpages, nf-wdm-mmsizeofmdl;
 * bug-check-0xc4--driver-verifier-detected-violation.
 */
import { constant } from "../contract/index.ts";
import { givesBytes } from "./driver-buffers.ts";
import { raise } from "./exceptions.ts";
import type { Kernel } from "./kernel.ts";
import {
  MDL_FLAG,
  Mdl,
  type MdlView,
  allocateBareMdl,
  buildForNonPaged,
  describe,
  freeMdl,
  mdlsOf,
  mdlBytes,
  startOf,
  writePageNumbers,
} from "./mdl.ts";
import { DriverFault, RunFailed } from "./outcome.ts";
import { isUserMemory, lockUser, unlockUser } from "./processes.ts";
import { leaf, local } from "./routine.ts";
import { windowsStruct } from "./windows.ts";

const Irp = windowsStruct("IRP");
const KERNEL_MODE = constant("KernelMode");
const READ_ACCESS = constant("IoReadAccess");
const ACCESS_VIOLATION = constant("STATUS_ACCESS_VIOLATION");
const VERIFIER_DETECTED_VIOLATION = 0xc4;
const TARGET_MDL_TOO_SMALL = 0x40;
/** First parameters of the bug check. */
const VIOLATION = {
  unlockOfUnlocked: 0x7c,
  unlockOfNonPaged: 0x7d,
  lockWithFlags: 0xb0,
  mapWithFlags: 0xb2,
  mapOfUnlocked: 0xb3,
  unlockOfPartial: 0xb4,
  unmapOfPartial: 0xb5,
  unmapOfUnmapped: 0xb6,
} as const;

function violation(k: Kernel, which: keyof typeof VIOLATION, mdl: MdlView, message: string): never {
  const where = `the MDL at 0x${mdl.address.toString(16)}`;
  return k.bugCheck(VERIFIER_DETECTED_VIOLATION, [VIOLATION[which], mdl.address, mdl.MdlFlags, 0], `${message}: ${where}`);
}

const has = (mdl: MdlView, flag: number): boolean => (mdl.MdlFlags & flag) !== 0;

function allocateForIrp(k: Kernel, address: number, bytes: number, isSecondary: number, irp: number): number {
  const mdl = allocateBareMdl(k, address, bytes);
  if (mdl === 0 || irp === 0) return mdl;
  const request = Irp.at(k.memory, irp);
  if ((isSecondary & 0xff) === 0 || request.MdlAddress === 0) {
    request.MdlAddress = mdl;
    return mdl;
  }
  const last = mdlsOf(k, request.MdlAddress).at(-1) ?? 0;
  Mdl.at(k.memory, last).Next = mdl;
  return mdl;
}

function lock(k: Kernel, address: number, mode: number, operation: number): void {
  const mdl = Mdl.at(k.memory, address);
  if (has(mdl, MDL_FLAG.locked | MDL_FLAG.nonPaged | MDL_FLAG.partial))
    violation(k, "lockWithFlags", mdl, "MmProbeAndLockPages was called for pages that are locked or nonpaged already");
  const start = startOf(mdl);
  const isAllowed = (mode & 0xff) === KERNEL_MODE ? k.memory.isAddress(start, mdl.ByteCount) : isUserMemory(start, mdl.ByteCount);
  if (!isAllowed) raise(k, "MmProbeAndLockPages", ACCESS_VIOLATION);
  mdl.MdlFlags |= MDL_FLAG.locked | (operation === READ_ACCESS ? 0 : MDL_FLAG.write);
  writePageNumbers(k, mdl);
  lockUser(k, start, mdl.ByteCount);
}

/** If the pages are mapped, the mapping is released first. */
function unlock(k: Kernel, address: number): void {
  const mdl = Mdl.at(k.memory, address);
  if (has(mdl, MDL_FLAG.nonPaged)) violation(k, "unlockOfNonPaged", mdl, "MmUnlockPages was called for nonpaged memory");
  if (has(mdl, MDL_FLAG.partial)) violation(k, "unlockOfPartial", mdl, "MmUnlockPages was called for a partial MDL");
  if (!has(mdl, MDL_FLAG.locked)) violation(k, "unlockOfUnlocked", mdl, "MmUnlockPages was called for pages that are not locked");
  mdl.MdlFlags &= ~(MDL_FLAG.locked | MDL_FLAG.mapped | MDL_FLAG.write);
  mdl.MappedSystemVa = 0;
  unlockUser(k, startOf(mdl));
}

function map(k: Kernel, address: number, mode: number): number {
  const mdl = Mdl.at(k.memory, address);
  if ((mode & 0xff) !== KERNEL_MODE) throw new RunFailed("a driver maps memory into an application, which ndislab cannot do");
  if (has(mdl, MDL_FLAG.mapped | MDL_FLAG.nonPaged))
    violation(k, "mapWithFlags", mdl, "pages are mapped that are mapped to a system address already");
  if (!has(mdl, MDL_FLAG.locked | MDL_FLAG.partial)) violation(k, "mapOfUnlocked", mdl, "pages are mapped that are not locked");
  mdl.MdlFlags |= MDL_FLAG.mapped | (has(mdl, MDL_FLAG.partial) ? MDL_FLAG.partialMapped : 0);
  mdl.MappedSystemVa = startOf(mdl);
  return mdl.MappedSystemVa;
}

function unmap(k: Kernel, address: number): void {
  const mdl = Mdl.at(k.memory, address);
  if (has(mdl, MDL_FLAG.partial) && !has(mdl, MDL_FLAG.partialMapped))
    violation(k, "unmapOfPartial", mdl, "MmUnmapLockedPages was called for a partial MDL that shares its mapping");
  if (!has(mdl, MDL_FLAG.mapped))
    violation(k, "unmapOfUnmapped", mdl, "MmUnmapLockedPages was called for pages that are not mapped");
  mdl.MdlFlags &= ~(MDL_FLAG.mapped | MDL_FLAG.partialMapped);
  mdl.MappedSystemVa = 0;
}

/** The target describes a part of the source's memory, and shares its mapping if there is one. */
function buildPartial(k: Kernel, sourceAddress: number, targetAddress: number, start: number, length: number): void {
  const source = Mdl.at(k.memory, sourceAddress);
  const target = Mdl.at(k.memory, targetAddress);
  const offset = start - startOf(source);
  const bytes = length === 0 ? source.ByteCount - offset : length;
  if (offset < 0 || bytes < 0 || offset + bytes > source.ByteCount) {
    const range = `0x${start.toString(16)} and ${bytes} bytes`;
    throw new DriverFault("out-of-bounds", `IoBuildPartialMdl was called for ${range}, which the source MDL does not describe`);
  }
  if (mdlBytes(start, bytes) > target.Size) {
    const numbers = [sourceAddress, targetAddress, start, bytes];
    k.bugCheck(TARGET_MDL_TOO_SMALL, numbers, "the target MDL of IoBuildPartialMdl is too small for the pages of the range");
  }
  describe(target, start, bytes);
  const mapped = source.MdlFlags & (MDL_FLAG.mapped | MDL_FLAG.nonPaged);
  target.MdlFlags = MDL_FLAG.partial | mapped | (has(source, MDL_FLAG.mapped) ? MDL_FLAG.parentMapped : 0);
  target.MappedSystemVa = mapped === 0 ? 0 : source.MappedSystemVa + offset;
  writePageNumbers(k, target);
}

export const mdlRoutines = [
  leaf("IoAllocateMdl", (k, address, bytes, isSecondary, _charge, irp = 0) =>
    allocateForIrp(k, address, bytes, isSecondary, irp),
  ),
  leaf("IoFreeMdl", (k, address) => {
    const mdl = Mdl.at(k.memory, address);
    if (has(mdl, MDL_FLAG.locked) && !has(mdl, MDL_FLAG.partial)) k.note("locked MDL freed", address);
    freeMdl(k, address);
  }),
  leaf("IoBuildPartialMdl", buildPartial),
  leaf("MmBuildMdlForNonPagedPool", (k, mdl) => {
    givesBytes(k, startOf(Mdl.at(k.memory, mdl)), Mdl.at(k.memory, mdl).ByteCount);
    buildForNonPaged(k, mdl);
  }),
  leaf("MmProbeAndLockPages", lock),
  leaf("MmUnlockPages", unlock),
  leaf("MmMapLockedPages", map),
  leaf("MmMapLockedPagesSpecifyCache", map),
  leaf("MmUnmapLockedPages", (k, _base, mdl) => unmap(k, mdl)),
  local("MmSizeOfMdl", (_k, base, length) => mdlBytes(base, length)),
  // No Driver Verifier runs in a machine: what ndislab watches, it watches from outside.
  local("MmIsDriverVerifying", () => false),
];
