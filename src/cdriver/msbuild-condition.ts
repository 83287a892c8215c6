/** Conditions of a project file. Page: https://learn.microsoft.com/visualstudio/msbuild/msbuild-conditions */

export interface ConditionContext {
  /** With properties and metadata replaced. */
  expand(text: string): string;
  exists(path: string): boolean;
}

/** Undefined when the condition cannot be understood. */
export function evaluateCondition(text: string, context: ConditionContext): boolean | undefined {
  try {
    const parser = new ConditionParser(text, context);
    return parser.whole();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const TOKEN = /\s*(?:'([^']*)'|(==|!=|<=|>=|<|>|!|\(|\)|,)|((?:\$\([^)]*\)|%\([^)]*\)|[^\s'=!<>(),])+))/y;

interface Token {
  readonly kind: "text" | "symbol" | "word";
  readonly value: string;
}

class ConditionParser {
  readonly #tokens: Token[];
  readonly #context: ConditionContext;
  #at = 0;

  constructor(text: string, context: ConditionContext) {
    this.#tokens = tokensOf(text);
    this.#context = context;
  }

  whole(): boolean {
    const value = this.#or();
    if (this.#at < this.#tokens.length) throw new SyntaxError("more follows");
    return value;
  }

  #or(): boolean {
    let value = this.#and();
    while (this.#takeWord("or")) value = this.#and() || value;
    return value;
  }

  #and(): boolean {
    let value = this.#comparison();
    while (this.#takeWord("and")) value = this.#comparison() && value;
    return value;
  }

  #comparison(): boolean {
    if (this.#takeSymbol("!")) return !this.#comparison();
    if (this.#takeSymbol("(")) {
      const value = this.#or();
      this.#expectSymbol(")");
      return value;
    }
    const left = this.#operand();
    if (typeof left === "boolean") return left;
    const operator = this.#tokens[this.#at];
    if (operator?.kind !== "symbol" || !["==", "!=", "<", ">", "<=", ">="].includes(operator.value)) return isTrue(left);
    this.#at += 1;
    const right = this.#operand();
    return compare(left, operator.value, String(right));
  }

  /** A text, or the answer of a function. */
  #operand(): string | boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind === "symbol") throw new SyntaxError("an operand is missing");
    this.#at += 1;
    if (token.kind === "word" && this.#takeSymbol("(")) {
      const argument = String(this.#operand());
      this.#expectSymbol(")");
      if (/^exists$/i.test(token.value)) return this.#context.exists(argument);
      if (/^hastrailingslash$/i.test(token.value)) return /[/\\]$/.test(argument);
      throw new SyntaxError(`the function ${token.value} is not known`);
    }
    return this.#context.expand(token.value);
  }

  #takeWord(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word" || token.value.toLowerCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "symbol" || token.value !== symbol) return false;
    this.#at += 1;
    return true;
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw new SyntaxError(`${symbol} is missing`);
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const [, quoted, symbol, word] = TOKEN.exec(text) ?? [];
    if (quoted !== undefined) tokens.push({ kind: "text", value: quoted });
    else if (symbol !== undefined) tokens.push({ kind: "symbol", value: symbol });
    else if (word !== undefined) tokens.push({ kind: "word", value: word });
    else throw new SyntaxError("the text has no token");
  }
  return tokens;
}

function isTrue(text: string): boolean {
  return /^(true|on|yes)$/i.test(text.trim());
}

/** Equality ignores case; order is of numbers or of versions such as 10.0.22621.0. */
function compare(left: string, operator: string, right: string): boolean {
  if (operator === "==") return left.toLowerCase() === right.toLowerCase();
  if (operator === "!=") return left.toLowerCase() !== right.toLowerCase();
  const order = compareVersions(left, right);
  if (operator === "<") return order < 0;
  if (operator === ">") return order > 0;
  return operator === "<=" ? order <= 0 : order >= 0;
}

function compareVersions(left: string, right: string): number {
  const parts = (text: string) => text.split(".").map((part) => Number(part) || 0);
  const a = parts(left);
  const b = parts(right);
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
