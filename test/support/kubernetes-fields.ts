// What a strict API server would say about an object's fields: names that it does not know, values of another type. The types are
// those of Kubernetes' OpenAPI, as the official client has them. It does not know what may be left out, nor custom resources.
import * as client from "@kubernetes/client-node";
import type { KubernetesObject } from "./kustomize.ts";

interface Field {
  readonly baseName: string;
  readonly type: string;
}

interface Model {
  getAttributeTypeMap(): readonly Field[];
}

const models = client as unknown as Readonly<Record<string, Model | undefined>>;

/** A sentence for each problem; undefined: a kind that is not Kubernetes' own. */
export function fieldProblems(object: KubernetesObject): readonly string[] | undefined {
  if (models[`V1${object.kind}`] === undefined) return undefined;
  return problemsOf(object, `V1${object.kind}`, object.kind);
}

function problemsOf(value: unknown, type: string, path: string): readonly string[] {
  const ofArray = /^Array<(.*)>$/.exec(type)?.[1];
  if (ofArray !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((each, at) => problemsOf(each, ofArray, `${path}[${at}]`));
  }
  const ofMapping = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  const model = models[type];
  if (ofMapping === undefined && model === undefined) return isOf(value, type) ? [] : [`${path} is no ${type}`];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${path} is no mapping`];
  const fields = model?.getAttributeTypeMap();
  return Object.entries(value).flatMap(([name, each]) => {
    const known = fields === undefined ? ofMapping : fields.find(({ baseName }) => baseName === name)?.type;
    return known === undefined ? [`${path} has no field ${name}`] : problemsOf(each, known, `${path}.${name}`);
  });
}

function isOf(value: unknown, type: string): boolean {
  switch (type) {
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
    case "IntOrString":
      return typeof value === "string" || Number.isInteger(value);
    default:
      throw new Error(`no field here had the type ${type} before`);
  }
}
