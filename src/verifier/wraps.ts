/** Arithmetic without a sign that wrapped, where it may be why memory was accessed out of bounds: a count times a size that does not fit. */
import type { Wrap } from "../cdriver/checks/undefined.ts";
import type { CodeLocation, DriverImage } from "../cdriver/image.ts";
import type { RelatedPlace } from "./origins.ts";

/**
 * The last calculation that wrapped in one of the functions that were active, or that came to the size of the block; undefined: none. The functions'
 * lines tell which function it is in.
 */
export function wrapBehind(
  wraps: readonly Wrap[],
  image: DriverImage,
  active: readonly CodeLocation[],
  blockBytes: number | undefined,
): RelatedPlace | undefined {
  const functions = image.functions();
  for (const { file, line, column, result, text } of wraps) {
    const path = image.fileNamed(file);
    const inFile = functions.filter((each) => each.file === path && each.line <= line);
    const owner = inFile.toSorted((one, other) => other.line - one.line)[0];
    const isActive = active.some((each) => each.function === owner?.function && each.file === path);
    if (owner === undefined || !(isActive || (result !== 0 && result === blockBytes))) continue;
    const place: CodeLocation = { function: owner.function, file: path, line, column, isApproximate: false };
    return { what: `a calculation that wrapped before: ${text}`, stack: [place] };
  }
  return undefined;
}
