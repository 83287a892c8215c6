/** What a pool and its workers tell each other. */

/** A worker is set up once, then it is given one task after the other. */
export type ToWorker<Setup, Task> = { readonly setup: Setup } | { readonly task: Task };

export type FromWorker<Answer> = { readonly answer: Answer } | { readonly error: unknown };
