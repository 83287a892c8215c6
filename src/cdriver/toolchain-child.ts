/** Talks to the process that holds the compiler; see toolchain-worker.ts. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ToolAnswer, ToolRequest } from "./toolchain-worker.ts";

interface Waiting {
  resolve(answer: ToolAnswer): void;
  reject(error: Error): void;
}

/** `compiler` is the module that the process loads. Started by the first request. An idle one does not keep its parent alive. */
export class CompilerProcess {
  #child: ChildProcess | undefined;
  readonly #compiler: string;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #printed = "";

  constructor(compiler = pathToFileURL(createRequire(import.meta.url).resolve("@yowasp/clang")).href) {
    this.#compiler = compiler;
  }

  get isStarted(): boolean {
    return this.#child !== undefined;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  run(request: Omit<ToolRequest, "id">): Promise<ToolAnswer> {
    this.#child ??= this.#start();
    const child = this.#child;
    const id = this.#nextId;
    this.#nextId += 1;
    child.ref();
    child.channel?.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      child.send({ ...request, id }, (error) => {
        if (error !== null) this.#fail(`the compiler process does not take requests: ${error.message}`);
      });
    });
  }

  /** Ends the process; a later request starts another. */
  stop(): void {
    this.#child?.kill();
    this.#child = undefined;
    this.#fail("the compiler process was stopped");
  }

  #start(): ChildProcess {
    const child = spawn(process.execPath, ["--liftoff-only", "--input-type=module", "--eval", workerText(), this.#compiler], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    this.#printed = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#printed = (this.#printed + text).slice(-2000);
    });
    // A pipe is a socket, which would keep this process alive.
    if (child.stderr instanceof Socket) child.stderr.unref();
    child.on("message", (answer: ToolAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) {
        child.unref();
        child.channel?.unref();
      }
      waiting?.resolve(answer);
    });
    child.on("error", (error) => this.#fail(`the compiler process could not be started: ${error.message}`));
    child.on("exit", (code, signal) => {
      // One that was stopped has been replaced, and nobody waits for it.
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#fail(`the compiler process ended (${signal ?? `exit code ${code}`}). ${this.#printed}`.trim());
    });
    return child;
  }

  #fail(message: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const each of waiting) each.reject(new Error(message));
  }
}

/** The worker as JavaScript: Node.js 20 cannot run TypeScript. */
function workerText(): string {
  const isSource = import.meta.url.endsWith(".ts");
  const text = readFileSync(
    fileURLToPath(new URL(isSource ? "./toolchain-worker.ts" : "./toolchain-worker.js", import.meta.url)),
    "utf8",
  );
  if (!isSource) return text;
  const { transformSync } = createRequire(import.meta.url)("esbuild") as typeof import("esbuild");
  return transformSync(text, { loader: "ts", format: "esm" }).code;
}
