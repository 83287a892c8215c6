/** Version guards: a declaration is seen only by drivers that ask for its NDIS version or a later one. */

/** "6.30" -> 30: NDIS 6 minor versions compare as numbers, 6.1 before 6.20. */
export function minorOf(version: string): number {
  return Number(version.slice(version.indexOf(".") + 1));
}

/** "6.0" -> "NDIS_SUPPORT_NDIS6", "6.30" -> "NDIS_SUPPORT_NDIS630". */
export function supportMacro(version: string): string {
  return version === "6.0" ? "NDIS_SUPPORT_NDIS6" : `NDIS_SUPPORT_NDIS${version.replace(".", "")}`;
}

/** Everything is at least 6.0 here, so only later versions need a guard. */
export function needsGuard(version: string | null | undefined): version is string {
  return version !== null && version !== undefined && /^6\.\d+$/.test(version) && minorOf(version) > 0;
}

export interface Guarded {
  readonly text: string;
  readonly version: string | null | undefined;
}

/** Lines in their order, with one #if around each run of the same version. */
export function guarded(lines: readonly Guarded[]): string {
  const out: string[] = [];
  let open: string | undefined;
  for (const { text, version } of lines) {
    const wanted = needsGuard(version) ? version : undefined;
    if (wanted !== open) {
      if (open !== undefined) out.push("#endif");
      if (wanted !== undefined) out.push(`#if ${supportMacro(wanted)}`);
      open = wanted;
    }
    out.push(text);
  }
  if (open !== undefined) out.push("#endif");
  return out.join("\n");
}
