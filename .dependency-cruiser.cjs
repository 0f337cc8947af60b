// Owns the layer rules: which folder under src/ may import what. `npm run layers` checks them.
// Imports run one way, from the edge (cli, agent, lab) to the pure core (net, model, ...).

/** Folder -> the other folders under src/ it may import. A folder that is not listed may import anything. */
const mayImport = {
  net: [],
  model: ["net"],
  state: ["net", "model"],
  semantics: ["net", "model", "state"],
  dialects: ["net", "model"],
  program: ["net", "model"],
  graph: ["net", "model", "state", "program"],
  backends: ["net", "model", "program"],
  prove: ["net", "model", "state", "semantics", "program", "backends"],
  lint: ["net", "model", "state", "semantics", "prove"],
  netlink: ["net", "model", "program"],
  manifests: ["net", "model", "dialects"],
  kube: ["net", "model", "dialects"],
};

const TESTS = "\\.test\\.ts$";
const CORE = "^src/(net|model|state|semantics|dialects|program|graph|backends|prove|lint)/";
/** The only files of a backend that talk to processes and sockets. */
const BACKEND_IO = "^src/backends/([^/]+/io/|.*-process\\.ts$)";
const NPM = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-no-pkg", "npm-unknown", "npm-bundled"];

/** Packages that only one folder may know (tests may use them anywhere). */
const homeOfPackage = [
  ["@kubernetes/client-node", "^src/kube/"],
  ["yaml|js-yaml", "^src/manifests/"],
  ["commander|picocolors", "^src/cli/"],
  ["koffi", "^src/(netlink|lab)/"],
  ["pino|prom-client", "^src/agent/"],
];

const folderRules = Object.entries(mayImport).map(([folder, others]) => ({
  name: `folder-${folder}`,
  comment: `src/${folder} may import ${others.length === 0 ? "no other folder" : others.join(", ")}.`,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: { path: "^src/", pathNot: `^src/(${[folder, ...others].join("|")})/` },
}));

const packageRules = homeOfPackage.map(([packages, home]) => ({
  name: `home-of-${packages.replaceAll(/[^a-z-]+/g, "-").replace(/^-/, "")}`,
  comment: `Only ${home.slice(1)} imports ${packages}.`,
  severity: "error",
  from: { path: "^src/", pathNot: [home, TESTS] },
  to: { path: `(^|/)node_modules/(${packages})/` },
}));

module.exports = {
  forbidden: [
    ...folderRules,
    ...packageRules,
    {
      name: "core-does-no-io",
      comment: "The core computes; reading files, sockets, clocks and processes happens at the edge.",
      severity: "error",
      from: { path: CORE, pathNot: [TESTS, BACKEND_IO, "^src/program/hash\\.ts$"] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "hash-uses-only-crypto",
      severity: "error",
      from: { path: "^src/program/hash\\.ts$" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
    },
    {
      name: "core-has-no-packages",
      comment: "The core stands on the language alone (lru-cache excepted: bounded memory for a memo).",
      severity: "error",
      from: { path: CORE, pathNot: TESTS },
      to: { dependencyTypes: NPM, pathNot: "(^|/)node_modules/lru-cache/" },
    },
    {
      name: "backends-know-only-themselves",
      comment: "What two backends share stands beside their folders, and knows neither.",
      severity: "error",
      from: { path: "^src/backends/(?:([^/]+)/|[^/]+$)" },
      to: { path: "^src/backends/[^/]+/", pathNot: "^src/backends/$1/" },
    },
    {
      name: "prove-asks-any-backend",
      comment: "The prover asks NodeRules; it knows no backend by name.",
      severity: "error",
      from: { path: "^src/prove/" },
      to: { path: "^src/backends/[^/]+/" },
    },
    {
      name: "nothing-imports-the-command-line",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli/" },
      to: { path: "^src/cli/" },
    },
    {
      name: "sources-do-not-import-tests",
      severity: "error",
      from: { path: "^src/", pathNot: TESTS },
      to: { path: [TESTS, "^(test|bench|scripts)/"] },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-orphans",
      comment: "A module that nobody imports and that imports nothing is dead, or lacks its test.",
      severity: "error",
      from: { orphan: true, path: "^src/", pathNot: [TESTS, "^src/cli/main\\.ts$"] },
      to: {},
    },
    {
      name: "imports-resolve",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-dev-packages-in-the-program",
      severity: "error",
      from: { path: "^src/", pathNot: TESTS },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm", "type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|coverage|[.]tools)/|/golden/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".js", ".mjs", ".cjs", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["node", "import", "require", "default", "types"],
    },
    cache: false,
  },
};
