/** Compiles a piece of C against the headers, in this process. */
import { commands } from "@yowasp/clang";
import { compileFlags, generateHeaders } from "../../src/contract/index.ts";

interface Tree {
  [name: string]: string | Uint8Array | Tree;
}

function folders(files: ReadonlyMap<string, string>): Tree {
  const root: Tree = {};
  for (const [path, text] of files) {
    const names = path.split("/");
    const last = names.pop() ?? path;
    let folder = root;
    for (const name of names) {
      const inner = folder[name];
      folder = typeof inner === "object" && !(inner instanceof Uint8Array) ? inner : (folder[name] = {});
    }
    folder[last] = text;
  }
  return root;
}

const headers = folders(generateHeaders());

export interface Compiled {
  readonly isAccepted: boolean;
  /** What clang printed, on either stream. */
  readonly output: string;
  readonly files: { readonly [name: string]: unknown };
}

export async function clang(
  source: string,
  extra: readonly string[],
  flags: readonly string[] = compileFlags,
): Promise<Compiled> {
  let output = "";
  const decoder = new TextDecoder();
  const write = (bytes: Uint8Array | null): void => {
    if (bytes !== null) output += decoder.decode(bytes);
  };
  try {
    const files = await commands.clang(
      [...flags, "-Iheaders", ...extra, "a.c"],
      { headers, "a.c": source },
      {
        stdout: write,
        stderr: write,
        fetchProgress() {},
      },
    );
    return { isAccepted: true, output, files: files ?? {} };
  } catch (error) {
    if (output === "") throw error;
    return { isAccepted: false, output, files: {} };
  }
}

/** The source compiles. The answer is what clang complains about: nothing. */
export async function complaints(source: string, extra: readonly string[] = []): Promise<string> {
  const { output } = await clang(source, ["-fsyntax-only", "-ferror-limit=0", ...extra]);
  return output;
}

/** All that any version shows. */
export const NEWEST = ["-DNDIS687", "-DNDIS687_MINIPORT", "-DNDIS_MINIPORT_DRIVER"];
