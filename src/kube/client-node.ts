// What we use of client-node, by name: the bundle then leaves out its generated API of all Kubernetes objects, which is
// 16 MB of code and 70 MB of memory. Loaded lazily by kubeconfig.ts.

export { KubeConfig } from "@kubernetes/client-node";
