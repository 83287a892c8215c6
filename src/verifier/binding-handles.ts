/** Every routine that takes a binding handle, and which of its arguments that is. */
import { ddis } from "../contract/index.ts";

export const takesBindingHandle = ddis().flatMap(({ name, params = [] }) => {
  const index = params.findIndex((each) => each.name === "NdisBindingHandle" && each.direction === "in");
  return index < 0 ? [] : [{ name, index }];
});
