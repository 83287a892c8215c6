/** What a user can put right: each message names the thing and the remedy. */

/** The input cannot be used: a file is missing, a project is malformed, an image is too large. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** The compiler or the linker refused the source. `text` is what it printed, with real paths. */
export class CompileError extends Error {
  override readonly name = "CompileError";
  readonly text: string;

  constructor(text: string) {
    super(text);
    this.text = text;
  }
}
