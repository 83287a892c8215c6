/**
 * The process that holds the compiler: LLVM as WebAssembly, which takes seconds to load and is then quick.
 *
 * It is started with `--liftoff-only` and the module of the compiler as its argument, answers one request after the other, and ends with
 * its parent. It imports nothing of its neighbours, so that its text alone can be run.
 */
import process from "node:process";

export interface ToolRequest {
  readonly id: number;
  /** `clang` or `wasm-ld`, then its arguments. */
  readonly command: readonly string[];
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** The file to send back. */
  readonly output: string;
}

export interface ToolAnswer {
  readonly id: number;
  /** Undefined when the tool failed. */
  readonly output: Uint8Array | undefined;
  /** What the tool printed. */
  readonly text: string;
}

type Tree = { [name: string]: Tree | string | Uint8Array };

interface Options {
  readonly fetchProgress: () => void;
  readonly stdout: (bytes: Uint8Array | null) => void;
  readonly stderr: (bytes: Uint8Array | null) => void;
}

interface Compiler {
  readonly runClang: (command: readonly string[], files: Tree, options: Options) => Promise<Tree>;
  readonly runLLVM: (command: readonly string[], files: Tree, options: Options) => Promise<Tree>;
}

const compiler = (await import(process.argv[1] ?? "@yowasp/clang")) as Compiler;
const decoder = new TextDecoder();

function toTree(files: ReadonlyMap<string, string | Uint8Array>): Tree {
  const root: Tree = {};
  for (const [path, contents] of files) {
    const names = path.split("/").filter((name) => name !== "");
    const last = names.pop() ?? path;
    let folder = root;
    for (const name of names) {
      const known = folder[name];
      if (typeof known === "object" && !(known instanceof Uint8Array)) {
        folder = known;
      } else {
        const made: Tree = {};
        folder[name] = made;
        folder = made;
      }
    }
    folder[last] = contents;
  }
  return root;
}

async function answer(request: ToolRequest): Promise<ToolAnswer> {
  let text = "";
  const print = (bytes: Uint8Array | null) => {
    if (bytes !== null) text += decoder.decode(bytes);
  };
  const options: Options = { fetchProgress: () => undefined, stdout: print, stderr: print };
  const run = request.command[0] === "clang" ? compiler.runClang : compiler.runLLVM;
  try {
    const tree = await run(request.command, toTree(request.files), options);
    const output = tree[request.output];
    return { id: request.id, output: output instanceof Uint8Array ? output : undefined, text };
  } catch (error) {
    const reason = error instanceof Error && !("code" in error) ? `${error.stack ?? error.message}\n` : "";
    return { id: request.id, output: undefined, text: text + reason };
  }
}

let queue = Promise.resolve();
process.on("message", (request: ToolRequest) => {
  queue = queue.then(async () => {
    process.send?.(await answer(request));
  });
});
process.on("disconnect", () => process.exit());
