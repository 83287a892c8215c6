/**
 * What the WPP preprocessor of Windows would write to a source's `.tmh` file, with tracing off: its trace functions do nothing.
 *
 * Page: https://learn.microsoft.com/windows-hardware/drivers/devtest/wpp-preprocessor
 */

const DEFAULT_FUNCTIONS = ["DoTraceMessage"];
const CONFIGURATION = /begin_wpp\s+config([\s\S]*?)end_wpp/g;
const FUNCTION = /\bFUNC\s+(\w+)\s*(?:\{[^}]*\})?\s*\(/g;

/** Names of the trace functions that comments in a source or a header declare. */
export function traceFunctionsIn(text: string): string[] {
  if (!text.includes("begin_wpp")) return [];
  return [...text.matchAll(CONFIGURATION)].flatMap(([, block]) =>
    [...(block ?? "").matchAll(FUNCTION)].map(([, name]) => name ?? ""),
  );
}

/** The name in `DEBUGP(LEVEL,MSG,...)`, as a project file gives it. */
export function traceFunctionName(declaration: string): string {
  return /^\s*\w*/.exec(declaration)?.[0].trim() ?? "";
}

export function traceHeader(functions: Iterable<string>): string {
  const names = [...new Set([...DEFAULT_FUNCTIONS, ...functions])].sort();
  return [
    ...names.flatMap((name) => [`#undef ${name}`, `#define ${name}(...) ((void)0)`]),
    ...["WPP_INIT_TRACING", "WPP_CLEANUP"].flatMap((name) => [`#ifndef ${name}`, `#define ${name}(...) ((void)0)`, "#endif"]),
    "",
  ].join("\n");
}
