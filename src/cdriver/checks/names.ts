/** Whether a function of a linked driver is one of the checks, or was made by the compiler for them. */
export function isOfChecks(name: string): boolean {
  return /^(__ndislab_|__asan_|__ubsan_|__multi3$|__wasm_|asan\.)/.test(name);
}
