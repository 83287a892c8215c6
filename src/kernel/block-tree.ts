/**
 * Copies of a memory as trees: each leaf is a block, and two copies share what is equal in them. A block that is not there is as in a new memory.
 */
export type Block = Uint8Array;

const FAN_OUT = 32;
const BITS = 5;

/** Three levels. */
export type BlockTree = readonly (readonly (readonly (Block | undefined)[] | undefined)[] | undefined)[];

export const noBlocks: BlockTree = [];

/** Most blocks that a tree can hold. */
export const TREE_BLOCKS = FAN_OUT ** 3;

const top = (block: number): number => block >>> (2 * BITS);
const middle = (block: number): number => (block >>> BITS) & (FAN_OUT - 1);
const bottom = (block: number): number => block & (FAN_OUT - 1);

/** The tree with those blocks in place of what it has there; ascending. */
export function withBlocks(
  tree: BlockTree,
  changed: readonly (readonly [block: number, content: Block | undefined])[],
): BlockTree {
  const result = [...tree];
  let copiedTop = -1;
  let copiedMiddle = -1;
  let branch: (readonly (Block | undefined)[] | undefined)[] = [];
  let leaf: (Block | undefined)[] = [];
  for (const [block, content] of changed) {
    if (top(block) !== copiedTop) {
      copiedTop = top(block);
      copiedMiddle = -1;
      branch = [...(tree[copiedTop] ?? [])];
      result[copiedTop] = branch;
    }
    if (middle(block) !== copiedMiddle) {
      copiedMiddle = middle(block);
      leaf = [...(tree[copiedTop]?.[copiedMiddle] ?? [])];
      branch[copiedMiddle] = leaf;
    }
    leaf[bottom(block)] = content;
  }
  return result;
}

/** Tells each block in which the two may differ. */
export function differences(from: BlockTree, to: BlockTree, tell: (block: number, content: Block | undefined) => void): void {
  for (let high = 0; high < FAN_OUT; high += 1) {
    const [fromBranch, toBranch] = [from[high], to[high]];
    if (fromBranch === toBranch) continue;
    for (let mid = 0; mid < FAN_OUT; mid += 1) {
      const [fromLeaf, toLeaf] = [fromBranch?.[mid], toBranch?.[mid]];
      if (fromLeaf === toLeaf) continue;
      for (let low = 0; low < FAN_OUT; low += 1) {
        if (fromLeaf?.[low] !== toLeaf?.[low]) tell((high << (2 * BITS)) | (mid << BITS) | low, toLeaf?.[low]);
      }
    }
  }
}
