/** Our own defects: these never accuse a driver. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}

/** The value, which by construction is there. */
export function must<T>(value: T | undefined | null, message: string): T {
  assert(value !== undefined && value !== null, message);
  return value;
}
