// Finds every call of the agent's log in the sources, with the fields that the type of its first argument has: what is spread into it and
// what stands in a variable is seen, too.

import { globSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { PROJECT } from "../cli/run-nftpol.ts";

export interface LogCall {
  readonly message: string;
  readonly level: string;
  readonly fields: readonly string[];
  /** `src/agent/agent.ts:94`. */
  readonly at: string;
}

/** Of a call whose fields a type of any names hides. */
export const ANY_FIELDS = "any";
/** Of a call that picks the level while it runs. */
export const CHOSEN = "chosen";
const LEVELS = ["error", "warn", "info", "debug"];

/** One for each message that a call may have. */
export function logCalls(): readonly LogCall[] {
  const files = globSync("src/agent/**/*.ts", { cwd: PROJECT, exclude: (name) => name.endsWith(".test.ts") });
  const { config } = ts.readConfigFile(join(PROJECT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, PROJECT);
  const program = ts.createProgram(
    files.map((file) => join(PROJECT, file)),
    options,
  );
  const checker = program.getTypeChecker();
  const found: LogCall[] = [];
  for (const file of files) {
    const source = program.getSourceFile(join(PROJECT, file));
    if (source === undefined) throw new Error(`${file} is not in the program`);
    const visit = (node: ts.Node): void => {
      ts.forEachChild(node, visit);
      if (!ts.isCallExpression(node)) return;
      const level = levelOf(node.expression);
      if (level === undefined || !isLog(checker, node.expression)) return;
      const [fields, message] = node.arguments;
      if (fields === undefined || message === undefined) return;
      const at = `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
      for (const text of literalsOf(checker.getTypeAtLocation(message))) {
        found.push({ message: text, level, fields: fieldsOf(checker.getTypeAtLocation(fields)), at });
      }
    };
    visit(source);
  }
  return found;
}

/** `log.info`, or `log[worst]`, whose level only the caller knows. */
function levelOf(callee: ts.Expression): string | undefined {
  if (ts.isElementAccessExpression(callee)) return CHOSEN;
  if (!ts.isPropertyAccessExpression(callee)) return undefined;
  return LEVELS.find((level) => level === callee.name.text);
}

function isLog(checker: ts.TypeChecker, callee: ts.Expression): boolean {
  if (!ts.isPropertyAccessExpression(callee) && !ts.isElementAccessExpression(callee)) return false;
  return checker.getTypeAtLocation(callee.expression).symbol?.name === "Log";
}

function literalsOf(type: ts.Type): readonly string[] {
  if (type.isUnion()) return type.types.flatMap(literalsOf);
  return type.isStringLiteral() ? [type.value] : ["(not a fixed text)"];
}

function fieldsOf(type: ts.Type): readonly string[] {
  if (type.isUnion()) return [...new Set(type.types.flatMap(fieldsOf))].sort();
  if (type.getStringIndexType() !== undefined) return [ANY_FIELDS];
  return type
    .getProperties()
    .map(({ name }) => name)
    .sort();
}
