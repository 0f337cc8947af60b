// Endpoints and ports of an expectation, as written -> what they stand for in this cluster, or what is wrong with them.

import type { Expectation } from "../../manifests/expectations.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import type { ClusterView } from "../../state/view.ts";
import { type Endpoint, resolveEndpoint, selectableEndpoints } from "../endpoint.ts";
import { parseTraffic, TRAFFIC_FORMS, type TrafficQuestion } from "../traffic-text.ts";

export interface ResolvedExpectation {
  readonly from: readonly Endpoint[];
  readonly to: readonly Endpoint[];
  readonly questions: readonly TrafficQuestion[];
  readonly diagnostics: readonly Diagnostic[];
}

/** `memo` keeps what words stand for, one for each cluster: files of thousands of rows repeat a few words. */
export function resolveExpectation(
  view: ClusterView,
  expectation: Expectation,
  memo: Map<string, readonly Endpoint[] | Failure>,
): ResolvedExpectation {
  const diagnostics: Diagnostic[] = [];
  const report = ({ message, hint }: Failure) =>
    diagnostics.push({
      code: "expectation-file",
      severity: "error",
      position: expectation.position,
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  const endpoints = (word: string): readonly Endpoint[] => {
    const found = memo.get(word) ?? endpointsOf(view, word);
    memo.set(word, found);
    if (!("message" in found)) return found;
    report(found);
    return [];
  };
  const questions = expectation.ports.flatMap((word) => {
    const question = parseTraffic(word);
    if (question === undefined)
      report({ message: `${JSON.stringify(word)} is no port`, hint: `write ${TRAFFIC_FORMS}` });
    return question === undefined ? [] : [question];
  });
  return { from: expectation.from.flatMap(endpoints), to: expectation.to.flatMap(endpoints), questions, diagnostics };
}

export interface Failure {
  readonly message: string;
  readonly hint?: string;
}

/** `*`, `namespace/*`, and what one endpoint can be. */
function endpointsOf(view: ClusterView, word: string): readonly Endpoint[] | Failure {
  if (word === "*") return orNothing(selectableEndpoints(view), "there are no pods that policies can select");
  if (word.endsWith("/*")) {
    const namespace = word.slice(0, -2);
    return orNothing(
      selectableEndpoints(view, namespace),
      `namespace ${namespace} has no pods that policies can select`,
    );
  }
  const result = resolveEndpoint(view, word);
  return "message" in result ? result : result.endpoints;
}

function orNothing(endpoints: readonly Endpoint[], message: string): readonly Endpoint[] | Failure {
  return endpoints.length > 0 ? endpoints : { message };
}
