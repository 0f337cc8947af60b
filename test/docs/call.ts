// A command line of a program that has a stand-in, taken apart into words and options. Owns which options such programs have.

/** A command line, taken apart. */
export interface Call {
  /** What is neither an option nor its value: `apply`. */
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** Behind `--`. */
  readonly inside: readonly string[];
  readonly stdin: () => string;
}

/** Options that take a value, and those that do not. Others are refused. */
export const OPTIONS: Readonly<
  Record<string, { readonly values: readonly string[]; readonly switches: readonly string[] }>
> = {
  kubectl: {
    values: ["-n", "-k", "-f", "-l", "-o", "--image", "--port", "--restart", "--tail", "--field-selector"],
    switches: ["--prefix", "-A"],
  },
  docker: { values: ["--tag", "-t", "--build-arg", "--platform"], switches: ["--push"] },
  kind: { values: ["--name"], switches: [] },
  helm: { values: ["-f", "--values", "--set", "--namespace", "-n"], switches: [] },
  npm: { values: [], switches: ["-g", "--silent"] },
  git: { values: ["--depth"], switches: [] },
  "apt-get": { values: [], switches: ["-y", "--yes"] },
};

/** Takes arguments apart; throws for an option that the program's entry does not know. */
export function callOf(program: string, args: readonly string[], stdin: () => string): Call {
  const known = OPTIONS[program] ?? { values: [], switches: [] };
  const cut = args.indexOf("--");
  const own = cut < 0 ? args : args.slice(0, cut);
  const words: string[] = [];
  const options = new Map<string, string[]>();
  for (let index = 0; index < own.length; index++) {
    const [name = "", value] = (own[index] ?? "").split(/=(.*)/s);
    if (!name.startsWith("-") || name === "-") words.push(own[index] ?? "");
    else if (known.switches.includes(name)) options.set(name, []);
    else if (!known.values.includes(name)) throw new Error(`${program} has no option ${name} in test/docs/call.ts`);
    else options.set(name, [...(options.get(name) ?? []), value ?? own[++index] ?? ""]);
  }
  return { words, options, inside: cut < 0 ? [] : args.slice(cut + 1), stdin };
}
