/** The memory of an OID request: nonpaged, and there until the request is complete. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { stackBlock } from "../../kernel/state.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { NDIS_STATUS_PENDING } from "../../ndis/stack.ts";
import { type Finding, type RuleContext, type Watcher, on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";
import { activation } from "./handles.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const METHOD = constant("NdisRequestMethod");
/** Bit of every POOL_TYPE that is paged, and the flag that ExAllocatePool2 has for it. */
const [PAGED, POOL_FLAG_PAGED] = [constant("PagedPool"), 0x100];

/** Requests that are not complete; those of them that lie on a stack, with the activation of the function that made them. */
const outstanding = shadowTable("OID requests that are not complete", 1024);
const onStack = shadowTable("OID requests on stacks", 64);
/** From a thread to the request that it makes, and to the bytes of paged pool that it asks for. */
const making = shadowTable("OID requests that are made", 64);
const asking = shadowTable("paged pool that is asked for", 64);
/** From a block of paged pool to its size. */
const paged = shadowTable("blocks of paged pool", 4096);
/** How many rows there are in the tables that are searched. */
const counts = shadowTable("counts of OID requests and of paged blocks", 4);
const [OUTSTANDING, ON_STACK, BLOCKS] = [1, 2, 3];

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

interface Place {
  readonly what: string;
  readonly start: number;
  readonly bytes: number;
}

function placesOf(k: Kernel, address: number): Place[] {
  const request = Request.at(k.memory, address);
  const bytes =
    request.RequestType === METHOD
      ? Math.max(request.DATA_METHOD_INFORMATION_InputBufferLength, request.DATA_METHOD_INFORMATION_OutputBufferLength)
      : request.DATA_QUERY_INFORMATION_InformationBufferLength;
  const start = request.DATA_QUERY_INFORMATION_InformationBuffer;
  const whole: Place = { what: "the NDIS_OID_REQUEST", start: address, bytes: Request.bytes };
  return start === 0 || bytes === 0 ? [whole] : [whole, { what: "the information buffer", start, bytes }];
}

const overlaps = ({ start, bytes }: Place, from: number, to: number): boolean => start < to && from < start + bytes;

function count({ shadow }: RuleContext, what: number, change: number): void {
  shadow.set(counts, what, shadow.get(counts, what) + change);
}

function complain({ report }: RuleContext, { what, start }: Place, problem: string, by: Partial<Finding> = {}): void {
  report({ rule: "oid-buffers-nonpaged", message: `${what} at ${hex(start)} ${problem}.`.replace(/^t/, "T"), ...by });
}

function begin(context: RuleContext, request: number): void {
  const { k, shadow } = context;
  const places = placesOf(k, request);
  const block = stackBlock(k.current.address);
  if (shadow.get(outstanding, request) === 0) count(context, OUTSTANDING, 1);
  shadow.set(outstanding, request, 1);
  if (places.some((place) => overlaps(place, block.start, block.end)) && shadow.get(onStack, request) === 0) {
    count(context, ON_STACK, 1);
    shadow.set(onStack, request, activation(k));
  }
  if (shadow.get(counts, BLOCKS) === 0) return;
  for (const [address, bytes] of shadow.entries(paged)) {
    for (const place of places) {
      if (overlaps(place, address, address + bytes))
        complain(context, place, "is in paged pool. Those who handle an OID request run at raised IRQL: it has to be nonpaged");
    }
  }
}

function end(context: RuleContext, request: number): void {
  const { shadow } = context;
  if (request === 0) return;
  if (shadow.get(outstanding, request) !== 0) count(context, OUTSTANDING, -1);
  if (shadow.get(onStack, request) !== 0) count(context, ON_STACK, -1);
  shadow.set(outstanding, request, 0);
  shadow.set(onStack, request, 0);
}

const requests: Watcher[] = (["NdisOidRequest", "NdisDirectOidRequest"] as const).flatMap((name) => [
  on(`call ${name}`, (context, { args: [, request = 0], thread }) => {
    context.shadow.set(making, thread + 1, request);
    if (request !== 0) begin(context, request);
  }),
  on(`return ${name}`, (context, { result, thread }) => {
    const request = context.shadow.get(making, thread + 1);
    context.shadow.set(making, thread + 1, 0);
    if (result !== NDIS_STATUS_PENDING) end(context, request);
  }),
  on(
    name === "NdisOidRequest" ? "handler ProtocolOidRequestComplete" : "handler ProtocolDirectOidRequestComplete",
    (context, { args }) => end(context, args[1] ?? 0),
  ),
]);

const POOL_ROUTINES = [
  "ExAllocatePool",
  "ExAllocatePoolWithTag",
  "ExAllocatePoolZero",
  "ExAllocatePoolUninitialized",
  "ExAllocatePoolWithTagPriority",
  "ExAllocatePoolPriorityZero",
  "ExAllocatePoolQuotaZero",
  "ExAllocatePool2_split",
] as const;

const pool: Watcher[] = POOL_ROUTINES.flatMap((name) => {
  const isFlags = name === "ExAllocatePool2_split";
  return [
    on(`call ${name}`, ({ shadow }, { args, thread }) => {
      const isPaged = ((args[0] ?? 0) & (isFlags ? POOL_FLAG_PAGED : PAGED)) !== 0;
      shadow.set(asking, thread + 1, isPaged ? (args[isFlags ? 2 : 1] ?? 0) : 0);
    }),
    on(`return ${name}`, (context, { result, thread }) => {
      const bytes = context.shadow.get(asking, thread + 1);
      context.shadow.set(asking, thread + 1, 0);
      if (bytes === 0 || result === 0) return;
      context.shadow.set(paged, result, bytes);
      count(context, BLOCKS, 1);
    }),
  ];
});

export const oidBufferRules = ruleSet(
  ["oid-buffers-nonpaged"],
  [
    ...requests,
    ...pool,
    on("handler return *", (context, { returning, target }) => {
      const { k, shadow } = context;
      if (shadow.get(counts, ON_STACK) === 0) return;
      const { address, depth } = k.current;
      const block = stackBlock(address);
      for (const [request, by] of shadow.entries(onStack)) {
        if (by >>> 8 !== address || (by & 0xff) <= depth) continue;
        for (const place of placesOf(k, request)) {
          if (overlaps(place, block.start, block.end))
            complain(context, place, "is on the stack of a function that has returned, and the request is not complete", {
              driver: returning,
              target,
            });
        }
        end(context, request);
      }
    }),
    on("note free", (context, { address, value: bytes }) => {
      const { k, shadow } = context;
      if (shadow.get(counts, BLOCKS) > 0 && shadow.get(paged, address) !== 0) {
        shadow.set(paged, address, 0);
        count(context, BLOCKS, -1);
      }
      if (shadow.get(counts, OUTSTANDING) === 0) return;
      for (const [request] of shadow.entries(outstanding)) {
        const place = placesOf(k, request).find((each) => overlaps(each, address, address + bytes));
        if (place === undefined) continue;
        complain(context, place, "was freed, and the request is not complete. It has to be there until then");
        end(context, request);
      }
    }),
  ],
  [outstanding, onStack, making, asking, paged, counts],
);
