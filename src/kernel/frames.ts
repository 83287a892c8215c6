/** Threads and their frames, as views of memory: what the engine pushes, looks at and drops. */
import { InternalError, assert } from "./assert.ts";
import type { KernelMemory } from "./memory.ts";
import { DriverFault } from "./outcome.ts";
import {
  FRAME_BYTES,
  FRAME_WORDS,
  Frame,
  MAX_FRAMES,
  MAX_THREADS,
  THREADS_ADDRESS,
  THREAD_BYTES,
  Thread,
  stackBlock,
  threadAddress,
} from "./state.ts";
import { markWritten } from "./unwritten.ts";

export class Frames {
  readonly #memory: KernelMemory;
  readonly threads: readonly Thread[];
  /** Views that have been asked for, by thread and depth: most threads of most runs never are. */
  readonly #frames: readonly (Frame | undefined)[][];

  constructor(memory: KernelMemory) {
    this.#memory = memory;
    this.threads = Array.from({ length: MAX_THREADS }, (_, slot) => Thread.at(memory, threadAddress(slot)));
    this.#frames = this.threads.map(() => []);
  }

  thread(address: number): Thread {
    const thread = this.threads[(address - THREADS_ADDRESS) / THREAD_BYTES];
    if (thread === undefined) throw new InternalError(`no thread at ${address}`);
    return thread;
  }

  /** Frame `index` of the thread, 0 the outermost. */
  frame(thread: Thread, index: number): Frame {
    const frames = this.#frames[(thread.address - THREADS_ADDRESS) / THREAD_BYTES];
    return frames?.[index] ?? this.#view(thread, index);
  }

  #view(thread: Thread, index: number): Frame {
    const frames = this.#frames[(thread.address - THREADS_ADDRESS) / THREAD_BYTES];
    if (frames === undefined || index < 0 || index >= MAX_FRAMES) {
      throw new InternalError(`thread ${thread.number} has no frame ${index}`);
    }
    const frame = Frame.at(this.#memory, stackBlock(thread.address).start + index * FRAME_BYTES);
    frames[index] = frame;
    return frame;
  }

  /** The words that the frame was called with. */
  arguments(frame: Frame): number[] {
    const { u32 } = this.#memory;
    const first = (frame.address + Frame.offsets.data) >>> 2;
    const count = frame.argumentCount;
    const words: number[] = [];
    for (let index = 0; index < count; index += 1) words.push(u32[first + index] ?? 0);
    return words;
  }

  push(thread: Thread, kind: Frame["kind"], code: number, args: readonly number[]): Frame {
    if (thread.depth >= MAX_FRAMES) {
      throw new DriverFault("step-budget", `the call depth of thread ${thread.number} passed ${MAX_FRAMES} frames`);
    }
    assert(args.length <= FRAME_WORDS, "too many arguments for a frame");
    const frame = this.frame(thread, thread.depth);
    frame.kind = kind;
    frame.code = code;
    frame.argumentCount = args.length;
    const first = (frame.address + Frame.offsets.data) >>> 2;
    for (let index = 0; index < args.length; index += 1) this.#memory.u32[first + index] = args[index] ?? 0;
    thread.depth += 1;
    return frame;
  }

  /** Nothing is left of the thread; its slot is free. */
  clear(thread: Thread): void {
    const { start, end } = stackBlock(thread.address);
    this.#memory.clear(start, end - start);
    markWritten(this.#memory, start, end - start);
    this.#memory.clear(thread.address, THREAD_BYTES);
  }

  drop(thread: Thread, frame: Frame): void {
    // A plan's locals may be longer than its arguments; nobody else writes behind them.
    const words = frame.kind === "Plan" ? FRAME_BYTES >>> 2 : (Frame.offsets.data >>> 2) + frame.argumentCount;
    this.#memory.clearWords(frame.address >>> 2, words);
    thread.depth -= 1;
  }
}
