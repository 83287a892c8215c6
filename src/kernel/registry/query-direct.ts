/** What RTL_QUERY_REGISTRY_DIRECT means: a value is stored where the entry's context points, in a form that depends on its type. */
import { constant } from "../../contract/index.ts";
import { readsBytes, writesBytes } from "../driver-buffers.ts";
import type { Kernel } from "../kernel.ts";
import { allocate } from "../pool.ts";
import { setCountedString } from "../strings.ts";
import { REG } from "./data.ts";

const TYPE_CHECK = constant("RTL_QUERY_REGISTRY_TYPECHECK");
const NO_EXPAND = constant("RTL_QUERY_REGISTRY_NOEXPAND");
const TYPE_SHIFT = constant("RTL_QUERY_REGISTRY_TYPECHECK_SHIFT");
const STRING_TAG = 0x7274_5352;
/** Of a UNICODE_STRING itself. */
const STRING_BYTES = 8;

interface Wish {
  readonly Flags: number;
  readonly EntryContext: number;
  readonly DefaultType: number;
}

export function storeDirectly(k: Kernel, wish: Wish, type: number, data: Uint8Array): string {
  if ((wish.Flags & TYPE_CHECK) !== 0 && wish.DefaultType >>> TYPE_SHIFT !== type) return "STATUS_OBJECT_TYPE_MISMATCH";
  if (type === REG.MULTI_SZ && (wish.Flags & NO_EXPAND) === 0) return "STATUS_INVALID_PARAMETER";
  if (type === REG.SZ || type === REG.EXPAND_SZ || type === REG.MULTI_SZ) return storeString(k, wish.EntryContext, data);
  if (data.length <= 4) {
    writesBytes(k, wish.EntryContext, data.length);
    k.memory.u8.set(data, wish.EntryContext);
    return "STATUS_SUCCESS";
  }
  return storeBytes(k, wish.EntryContext, type, data);
}

/** In the buffer of a UNICODE_STRING, or in a new one of the driver's; its length does not count the last zero. */
function storeString(k: Kernel, string: number, data: Uint8Array): string {
  const { memory } = k;
  readsBytes(k, string, STRING_BYTES);
  const own = memory.readU32(string + 4);
  if (own !== 0 && memory.readU16(string + 2) < data.length) return "STATUS_BUFFER_TOO_SMALL";
  const buffer = own === 0 ? allocate(k, Math.max(data.length, 2), STRING_TAG) : own;
  if (buffer === 0) return "STATUS_INSUFFICIENT_RESOURCES";
  writesBytes(k, buffer, data.length);
  memory.u8.set(data, buffer);
  const length = Math.max(data.length - 2, 0);
  setCountedString(memory, string, buffer, length, own === 0 ? Math.max(data.length, 2) : memory.readU16(string + 2));
  return "STATUS_SUCCESS";
}

/** The buffer begins with its size: negative, and the data takes its place; positive, and length and type come before the data. */
function storeBytes(k: Kernel, buffer: number, type: number, data: Uint8Array): string {
  readsBytes(k, buffer, 4);
  const size = k.memory.readU32(buffer) | 0;
  if (size < 0) {
    if (-size < data.length) return "STATUS_BUFFER_TOO_SMALL";
    writesBytes(k, buffer, data.length);
    k.memory.u8.set(data, buffer);
    return "STATUS_SUCCESS";
  }
  if (size < 8 + data.length) return "STATUS_BUFFER_TOO_SMALL";
  writesBytes(k, buffer, 8 + data.length);
  k.memory.writeU32(buffer, data.length);
  k.memory.writeU32(buffer + 4, type);
  k.memory.u8.set(data, buffer + 8);
  return "STATUS_SUCCESS";
}
