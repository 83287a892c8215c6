/** The rules that the contract has no id for: what any driver of any kind may not do, and what a run that ends badly is called. */
export const ownRules: Readonly<Record<string, string>> = {
  hung: "A run came to rest with something unfinished: a completion, a return or an event that somebody still owed.",
  bugcheck: "Windows would have stopped with a bug check.",
  deadlock: "Threads wait for each other in a circle.",
  trap: "The driver's code did what no processor carries out: a jump to no function, a division by zero, an unreachable place.",
  "leak-memory": "Pool, a pool of net buffers or another allocation was still there when the driver was unloaded.",
  "leak-handle": "A handle was still open when the driver was unloaded.",
  "use-after-free": "Memory was used after it had been freed.",
  "double-free": "Memory was freed twice.",
  "invalid-free": "What was freed is no allocation, or was allocated in another way.",
  "out-of-bounds": "Memory was used before or behind its allocation.",
  "null-access": "Memory at a null pointer was used.",
  uninitialised:
    "A condition, an address, a call or a parameter depended on memory that nobody had written. To copy such memory is no mistake.",
  "data-race": "Two threads used the same memory, at least one of them writing, with nothing that orders them.",
  "undefined-behaviour":
    "What happens is not defined: a signed number overflowed, a shift went too far, an interlocked operation was not aligned, ...",
  irql: "A routine was called at an IRQL that its page does not allow, or a handler returned at another IRQL than it was called at.",
  "close-outside-handler":
    "An adapter was closed while its bind or unbind pended, but not inside the handler's call. The pages leave open whether it may be: a warning.",
  "lock-order": "Two locks were taken in one order here and in the other order there: a deadlock waits for the right timing.",
  "lock-balance": "A lock was released by somebody who does not hold it, taken twice, or still held when a handler returned.",
  "apc-region":
    "A push lock or resource was acquired outside of a region without APCs, or such a region was not left as often as entered.",
  "rundown-order":
    "Run-down protection was released more often than acquired, or initialized again or completed before the object was run down.",
  "step-budget": "The driver's code took more steps, or called deeper, than any driver should need.",
  livelock:
    "The threads run on and on, and nothing comes to an end; or a chain of structures that the driver linked runs in a circle.",
  "irp-pending-not-marked": "A dispatch routine returned STATUS_PENDING for an IRP that it had not marked pending.",
  "irp-completed-twice": "An IRP was completed twice.",
  "irp-status-mismatch": "A dispatch routine returned another status than the one it completed the IRP with.",
  "irp-touched-after-completion": "An IRP was used after it had been completed.",
  "irp-never-completed": "An IRP was never completed.",
  "irp-completed-under-lock": "An IRP was completed by a thread that held a spin lock.",
  "irp-cancel": "A cancelled IRP was not completed, or completed in a race with its cancel routine.",
  "scenario-assert": "What a scenario of yours asserts about data did not hold.",
};
