/**
 * A built driver as one block of bytes: the lengths of the two descriptions, the descriptions as JSON, the code. The second description is
 * large, and read only when a place in the code is asked for.
 */
import type { ImageInfo, Place } from "./image-info.ts";

const LENGTHS_BYTES = 8;

export interface ImageFile {
  readonly packed: Uint8Array;
  readonly info: ImageInfo;
  readonly wasm: Uint8Array;
}

export function packImage({ info, wasm }: Pick<ImageFile, "info" | "wasm">): ImageFile {
  const { places, ...rest } = info;
  const [head, tail] = [rest, places()].map((part) => new TextEncoder().encode(JSON.stringify(part))) as [Uint8Array, Uint8Array];
  const packed = new Uint8Array(LENGTHS_BYTES + head.length + tail.length + wasm.length);
  const lengths = new DataView(packed.buffer);
  lengths.setUint32(0, head.length, true);
  lengths.setUint32(4, tail.length, true);
  packed.set(head, LENGTHS_BYTES);
  packed.set(tail, LENGTHS_BYTES + head.length);
  packed.set(wasm, LENGTHS_BYTES + head.length + tail.length);
  return { packed, info, wasm };
}

/** Undefined for what another version of this file has written. */
export function unpackImage(packed: Uint8Array | undefined): ImageFile | undefined {
  try {
    return packed === undefined ? undefined : unpack(packed);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function unpack(packed: Uint8Array): ImageFile {
  const lengths = new DataView(packed.buffer, packed.byteOffset);
  const tailStart = LENGTHS_BYTES + lengths.getUint32(0, true);
  const codeStart = tailStart + lengths.getUint32(4, true);
  const parse = (start: number, end: number): unknown => JSON.parse(new TextDecoder().decode(packed.subarray(start, end)));
  const rest = parse(LENGTHS_BYTES, tailStart) as Omit<ImageInfo, "places">;
  let places: readonly Place[] | undefined;
  const info: ImageInfo = {
    ...rest,
    places: () => {
      places ??= parse(tailStart, codeStart) as readonly Place[];
      return places;
    },
  };
  return { packed, info, wasm: packed.subarray(codeStart) };
}
