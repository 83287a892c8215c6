/** Small services: random numbers, UUIDs, error codes of Win32. */
import { ntStatusName } from "../contract/index.ts";
import type { Kernel } from "./kernel.ts";
import { RunFailed } from "./outcome.ts";
import { leaf, local } from "./routine.ts";

const MAXLONG = 0x7fff_ffff;
const MULTIPLIER = 48_271;

/** Undocumented: the sequence. The seed is all that it depends on. */
function random(k: Kernel, seed: number): number {
  const state = k.memory.readU32(seed) % MAXLONG;
  const next = Number((BigInt(state === 0 ? 1 : state) * BigInt(MULTIPLIER)) % BigInt(MAXLONG));
  k.memory.writeU32(seed, next);
  return next;
}

/** No two of a machine are the same; those of two machines are, so that runs repeat. */
function createUuid(k: Kernel, uuid: number): string {
  k.header.uuidsCreated += 1;
  k.memory.writeU32(uuid, k.header.uuidsCreated);
  k.memory.writeU16(uuid + 4, 0);
  k.memory.writeU16(uuid + 6, 0x4000);
  k.memory.u8.set([0x80, 0, 0, 0, 0x4e, 0x44, 0x49, 0x53], uuid + 8);
  return "STATUS_SUCCESS";
}

/** System error codes, as far as network drivers meet them. */
const WIN32: Readonly<Record<string, number>> = {
  STATUS_SUCCESS: 0,
  STATUS_INVALID_DEVICE_REQUEST: 1,
  STATUS_NOT_IMPLEMENTED: 1,
  STATUS_NO_SUCH_FILE: 2,
  STATUS_OBJECT_NAME_NOT_FOUND: 2,
  STATUS_OBJECT_PATH_NOT_FOUND: 3,
  STATUS_ACCESS_DENIED: 5,
  STATUS_INVALID_HANDLE: 6,
  STATUS_OBJECT_TYPE_MISMATCH: 6,
  STATUS_NO_MEMORY: 8,
  STATUS_UNSUCCESSFUL: 31,
  STATUS_NOT_SUPPORTED: 50,
  STATUS_INVALID_PARAMETER: 87,
  STATUS_IO_TIMEOUT: 121,
  STATUS_BUFFER_TOO_SMALL: 122,
  STATUS_INFO_LENGTH_MISMATCH: 24,
  STATUS_DEVICE_BUSY: 170,
  STATUS_OBJECT_NAME_COLLISION: 183,
  STATUS_BUFFER_OVERFLOW: 234,
  STATUS_NO_MORE_ENTRIES: 259,
  STATUS_CANCELLED: 995,
  STATUS_PENDING: 997,
  STATUS_ACCESS_VIOLATION: 998,
  STATUS_NOT_FOUND: 1168,
  STATUS_INSUFFICIENT_RESOURCES: 1450,
};

function toWin32(k: Kernel, status: number): number {
  const name = ntStatusName(status | 0) ?? "";
  const code = WIN32[name];
  if (code !== undefined) return code;
  const driver = k.driverOfThread(k.current);
  throw new RunFailed(
    `driver ${driver} asks for the Win32 error of ${name === "" ? `0x${status.toString(16)}` : name}, which ndislab does not know`,
  );
}

export const smallServices = [
  local("RtlRandomEx", random),
  leaf("ExUuidCreate", createUuid),
  local("RtlNtStatusToDosErrorNoTeb", toWin32),
];
