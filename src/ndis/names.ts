/** Device names of adapters. */
export const adapterName = (index: number): string => `\\DEVICE\\{4E444953-0000-4000-8000-${String(index).padStart(12, "0")}}`;
