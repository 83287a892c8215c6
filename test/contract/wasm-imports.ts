/** Types and imports of a WebAssembly binary, as far as this test needs them. */
export function functionImports(
  binary: Uint8Array,
): ReadonlyMap<string, { readonly params: readonly number[]; readonly results: readonly number[] }> {
  let at = 8;
  const byte = (): number => binary[at++] ?? 0;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const next = byte();
      value |= (next & 127) << shift;
      if (next < 128) return value;
    }
  };
  const list = <T>(read: () => T): T[] => Array.from({ length: number() }, read);
  const text = (): string => new TextDecoder().decode(Uint8Array.from(list(byte)));
  let types: { params: number[]; results: number[] }[] = [];
  const imports = new Map<string, { params: number[]; results: number[] }>();
  while (at < binary.length) {
    const section = byte();
    const end = number() + at;
    if (section === 1) {
      types = list(() => {
        byte();
        return { params: list(byte), results: list(byte) };
      });
    } else if (section === 2) {
      list(() => {
        text();
        const name = text();
        const kind = byte();
        if (kind === 0) {
          const type = types[number()];
          if (type !== undefined) imports.set(name, type);
        } else if (kind === 1) {
          byte();
          if ((byte() & 1) !== 0) number();
          number();
        } else if (kind === 2) {
          if ((byte() & 1) !== 0) number();
          number();
        } else {
          byte();
          byte();
        }
      });
    }
    at = end;
  }
  return imports;
}
