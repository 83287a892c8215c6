/** A built driver as one block of bytes: the length of the description, the description as JSON, the code. */
import type { ImageInfo } from "./image-info.ts";

const LENGTH_BYTES = 4;

export function packImage(info: ImageInfo, wasm: Uint8Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(info));
  const packed = new Uint8Array(LENGTH_BYTES + json.length + wasm.length);
  new DataView(packed.buffer).setUint32(0, json.length, true);
  packed.set(json, LENGTH_BYTES);
  packed.set(wasm, LENGTH_BYTES + json.length);
  return packed;
}

export function unpackImage(packed: Uint8Array | undefined): { info: ImageInfo; wasm: Uint8Array } | undefined {
  if (packed === undefined) return undefined;
  const codeStart = LENGTH_BYTES + new DataView(packed.buffer, packed.byteOffset).getUint32(0, true);
  const info = JSON.parse(new TextDecoder().decode(packed.subarray(LENGTH_BYTES, codeStart))) as ImageInfo;
  return { info, wasm: packed.subarray(codeStart) };
}
