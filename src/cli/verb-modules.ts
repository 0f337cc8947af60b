// Where each verb's code is. Nothing of it is loaded before the verb is chosen: `--help` stays quick.

import type { VerbModule } from "./verb.ts";

export const VERB_MODULES: Readonly<Record<string, () => Promise<VerbModule>>> = {
  render: () => import("./verbs/render.ts"),
  matrix: () => import("./verbs/matrix.ts"),
  explain: () => import("./verbs/explain.ts"),
  test: () => import("./verbs/test.ts"),
  prove: () => import("./verbs/prove.ts"),
  graph: () => import("./verbs/graph.ts"),
  lint: () => import("./verbs/lint.ts"),
  lab: () => import("./verbs/lab.ts"),
  agent: () => import("./verbs/agent.ts"),
  status: () => import("./verbs/status.ts"),
  cleanup: () => import("./verbs/cleanup.ts"),
  completion: () => import("./verbs/completion.ts"),
  version: () => import("./verbs/version.ts"),
};
